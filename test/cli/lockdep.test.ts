/** `ksmrace lockdep`, as a user has it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const MAIN = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ksmrace-lockdep-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...argv], { cwd: folder, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

it.each([
  ['lockdep', /^all lock classes:\n[0-9a-f]{16} OPS: +\d+ FD: +\d+ BD: +\d+ \S+: .*\n -> \[[0-9a-f]{16}\] /m],
  ['lockdep_chains', /^all lock chains:\nirq_context: 0\n\[[0-9a-f]{16}\] /m],
  ['stats', /^ lock-classes: +\d+ \[max: 8192\]\n/m],
])('%s is printed after a play that gives the same each time', async (file, text) => {
  const first = await run('lockdep', file);
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toMatch(text);
  expect((await run('lockdep', file)).stdout).toBe(first.stdout);
});

it('knows the order of the locks of KSM', async () => {
  const { stdout } = await run('lockdep');
  const lines = stdout.split('\n');
  const at = lines.findIndex((line) => / OPS: .*: ksm_thread_mutex$/.test(line));
  const after = lines.slice(at + 1, lines.indexOf('', at));
  expect(after.some((line) => line.endsWith('&mm->mmap_lock'))).toBe(true);
});

it('prints the files of a result directory', async () => {
  await run('stress', '--trials', '50', '--variant', 'fixed', '--out', 'one');
  for (const file of ['lockdep', 'lockdep_chains', 'lockdep_stats']) {
    expect((await run('lockdep', file, 'one')).stdout).toBe(`${readFileSync(join(folder, 'one', file), 'utf8').trimEnd()}\n`);
  }
  await run('stress', '--trials', '50', '--variant', 'fixed', '--lockdep', 'off', '--out', 'off');
  const off = await run('lockdep', 'stats', 'off');
  expect(off.code).toBe(1);
  expect(off.stderr).toBe('ksmrace: off has no lockdep_stats: it is written by runs whose validator is on\n');
});

it('prints those of a search', async () => {
  await run('fuzz', '--schedules', '50', '--variant', 'fixed', '--out', 'search');
  const { code, stdout } = await run('lockdep', 'lockdep', 'search');
  expect(code).toBe(0);
  expect(stdout).toMatch(/ OPS: +\d+ .*: ksm_thread_mutex\n -> /);
});

it.each([
  [['lockdep', 'chain'], 'lockdep chain is not one of lockdep, lockdep_chains, lockdep_stats'],
  [['lockdep', 'lockdep', 'nowhere'], 'nowhere is not a result directory: it has no summary.json'],
])('%j is refused with one sentence', async (argv, sentence) => {
  const { code, stderr } = await run(...argv);
  expect(stderr).toMatch(new RegExp(`^ksmrace: ${sentence}[^\n]*\n$`));
  expect(code).toBe(1);
});
