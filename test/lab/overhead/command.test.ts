import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../../dist/src/cli/main.js', import.meta.url));

function overhead(...args: string[]): { code: number; stdout: string; stderr: string } {
  try {
    return {
      code: 0,
      stdout: execFileSync(process.execPath, [main, 'overhead', ...args], { encoding: 'utf8', stdio: 'pipe' }),
      stderr: '',
    };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, stdout, stderr };
  }
}

test.each([
  [['--vmas', '0'], '--vmas 0 is out of range: it must be from 1 to 1000000'],
  [['--vmas', '1,x'], '--vmas 1,x is not a list of whole numbers like 1,64,1024'],
  [['--precision', '0'], '--precision 0 is out of range: it must be above 0 and at most 100%'],
  [['--precision', 'fine'], '--precision fine is not a share like 0.5% or 0.005'],
  [['--pairs', '1'], '--pairs 1 is out of range: it must be from 30 to 100000'],
  [['--baseline', 'unfixd'], '--baseline unfixd is not one of unfixed, fixed, both, linked-list, user (did you mean unfixed?)'],
  [['--baseline', 'user'], '--baseline user needs a module: --variant ./mine.mjs'],
  [['--variant', 'unfixed'], '--variant unfixed is the baseline itself: name another one to compare it with'],
  [['--variant', './nowhere.mjs'], '--variant ./nowhere.mjs: there is no such file'],
  [['--claims', 'speed'], '--claims speed is not one of iteration, exit-latency, throughput'],
  [['--at', '2'], '--at 2 is out of range: it must be from 0 to 1'],
  [['--load', 'heavy'], '--load heavy is not one of flat-out, paced'],
  [['--seconds', '0'], '--seconds 0 is out of range: it must be from 0.1 to 86400'],
  [['--out', '/dev/null/cost'], "--out /dev/null/cost can't be written: a part of the path is not a directory"],
])('%j is told in a sentence', (args, message) => {
  const { code, stdout, stderr } = overhead(...args);
  expect(stderr).toBe(`ksmrace: ${message}\n`);
  expect(stdout).toBe('');
  expect(code).toBe(1);
});

test('JSON, and only that, on stdout; too much noise for the precision is a result', () => {
  const args = ['--vmas', '1,8', '--variant', 'fixed', '--claims', 'iteration', '--conditions', 'usual', '--seconds', '0.1'];
  const { code, stdout } = overhead(...args, '--precision', '0.0001%', '--json', '--quiet');
  expect(code).toBe(0);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ command: 'overhead', scenario: 'ksm-exit', seed: 1, node: process.version, workers: 2 });
  expect(result).toMatchObject({ vmas: [1, 8], variants: ['unfixed', 'fixed'], exitLatency: [], unfinished: false });
  const entry = result.iteration.find((e: { vmas: number; variant: string }) => e.vmas === 8 && e.variant === 'fixed');
  for (const key of ['nsPerVma', 'ratio', 'ciLow', 'ciHigh', 'pairs']) expect(entry[key]).toBeTypeOf('number');
  expect(entry).toMatchObject({ baseline: 'unfixed', precise: false });
  expect(entry.pairs).toBeGreaterThanOrEqual(30);
});

test('a variant of your own that fails is named by its file, and nothing is left behind', () => {
  const folder = mkdtempSync(join(tmpdir(), 'overhead-'));
  try {
    const file = join(folder, 'mine.mjs');
    writeFileSync(file, "export function unmerge_vmas() { throw new Error('no idea'); }");
    const { code, stderr } = overhead('--variant', file, '--vmas', '1', '--claims', 'iteration', '--out', join(folder, 'cost'));
    expect(stderr).toBe('ksmrace: --variant mine.mjs: unmerge_vmas of the variant module mine.mjs threw: no idea\n');
    expect(code).toBe(1);
    expect(existsSync(join(folder, 'cost'))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('Ctrl-C prints what is known so far, marked unfinished', async () => {
  const child = spawn(process.execPath, [
    main,
    'overhead',
    '--vmas',
    '64',
    '--claims',
    'iteration',
    '--precision',
    '0.0001%',
    '--seconds',
    '600',
  ]);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  // From its first line on it hears the signal.
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGINT'), 1000));
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
  expect(text).toMatch(/^4 experiments in about 600 s/);
  expect(text).toContain('UNFINISHED');
});
