/** The search on the command line: from a finding to its token, back again, shorter, on real threads; proofs and their check. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeToken } from '../../../src/lab/search/token.ts';

const main = fileURLToPath(new URL('../../../dist/src/cli/main.js', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ksmrace-search-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function ksmrace(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', timeout: 50_000 });
  return { status, stdout, stderr };
}
function json(...args: string[]) {
  const { status, stdout, stderr } = ksmrace(...args, '--json', '--quiet');
  expect(stderr).toBe('');
  return { status, result: JSON.parse(stdout) };
}

test('found, replayed, made short, forced on real threads: one and the same', () => {
  const fuzzed = json('fuzz', '--seed', '11', '--schedules', '1500', '--workers', '1', '--scanned', 'yes', '--vmas', '2');
  expect(fuzzed.status).toBe(2);
  const [signature] = fuzzed.result.signatures;
  expect(signature.kind).toBe('suspicious-rcu-usage');
  expect(fuzzed.result.schedules).toBe(1500);

  const short = json('minimize', signature.token);
  expect(short.status).toBe(2);
  expect(short.result.preemptions).toBeLessThanOrEqual(1);
  expect(short.result.workload.vmas).toBe(1);

  const replayed = json('replay', short.result.token, '--real-threads');
  expect(replayed.status).toBe(2);
  expect(replayed.result.realThreads.same).toBe(true);
  expect(replayed.result.diagram).toContain('__ksm_exit()');
  expect(replayed.result.report).toContain('WARNING: suspicious RCU usage');
  expect(replayed.result.guessedFrom).toBe(0);
});

test('the same seed gives the same counts on one thread and on two', () => {
  const run = (workers: string) => json('fuzz', '--seed', '4', '--schedules', '3000', '--workers', workers).result;
  const [one, two] = [run('1'), run('2')];
  expect(two.reports).toBe(one.reports);
  expect(two.signatures[0].token).toBe(one.signatures[0].token);
});

test('a proof is written, holds, and is refused for other code', () => {
  const file = join(folder, 'proof.json');
  expect(ksmrace('explore', '--variant', 'fixed', '--all', '--certificate', file, '--quiet').status).toBe(0);
  const checked = ksmrace('explore', '--check', file, '--quiet');
  expect(checked.stdout).toContain('certificate: holds (silent)');
  expect(checked.status).toBe(0);

  const proof = JSON.parse(readFileSync(file, 'utf8'));
  const wrong = join(folder, 'wrong.json');
  writeFileSync(wrong, JSON.stringify({ ...proof, traces: proof.traces + 1 }));
  const refuted = ksmrace('explore', '--check', wrong, '--quiet');
  expect(refuted.stdout).toContain('does NOT hold');
  expect(refuted.status).toBe(2);
  writeFileSync(wrong, JSON.stringify({ ...proof, codeHash: '12345678' }));
  const other = ksmrace('explore', '--check', wrong);
  expect(other.stderr).toContain('is a certificate of other code (12345678');
  expect(other.status).toBe(1);
});

test('a certificate names the checkers that watched, and is checked under the same ones', () => {
  const file = join(folder, 'blind.json');
  // Without the validator the unfixed kernel is silent; that is all that this certificate says.
  expect(ksmrace('explore', '--all', '--lockdep', 'off', '--certificate', file, '--quiet').status).toBe(0);
  expect(JSON.parse(readFileSync(file, 'utf8')).checkers).toEqual({ lockdep: false, races: false, pages: false });
  expect(ksmrace('explore', '--check', file, '--quiet').stdout).toContain('certificate: holds (silent)');
  expect(ksmrace('explore', '--check', file, '--lockdep', 'on').stderr).toContain('--lockdep is said by the file of --check already');
});

test.each([
  ['--preemptions', '3'],
  ['--all', '--tasks', '4', '--vmas', '1'],
])('%s %s: one thread and three certify the same, and so does an exploration that was broken off', (...bound) => {
  const [one, three, half] = ['one.json', 'three.json', 'half.json'].map((name) => join(folder, name)) as [string, string, string];
  expect(ksmrace('explore', ...bound, '--workers', '1', '--certificate', one, '--quiet').status).toBe(2);
  expect(ksmrace('explore', ...bound, '--workers', '3', '--certificate', three, '--quiet').status).toBe(2);
  expect(readFileSync(three, 'utf8')).toBe(readFileSync(one, 'utf8'));
  const { complete } = json('explore', ...bound, '--workers', '1', '--seconds', '0.01', '--checkpoint', half).result;
  expect(complete).toBe(false);
  ksmrace('explore', '--resume', half, '--workers', '2', '--certificate', three, '--quiet');
  expect(readFileSync(three, 'utf8')).toBe(readFileSync(one, 'utf8'));
});

test('a corpus outlives its campaign, and a broken file in it is told', () => {
  const corpus = join(folder, 'corpus');
  expect(ksmrace('fuzz', '--corpus', corpus, '--schedules', '600', '--workers', '1', '--seed', '1', '--quiet').status).toBe(2);
  expect(readdirSync(corpus).length).toBeGreaterThan(3);
  writeFileSync(join(corpus, 'x.token'), 'nonsense');
  const again = ksmrace('fuzz', '--corpus', corpus, '--schedules', '100', '--workers', '1', '--seed', '2', '--quiet');
  expect(again.stderr).toContain('corpus file x.token is left out');
  expect(again.status).toBe(1);
});

test("a variant of the user's own is stepped too, and a bad one is told", () => {
  const loop = `const vmi = kernel.vma_iter_init(mm);
  for (let vma = kernel.vma_next(vmi); vma !== 0; vma = kernel.vma_next(vmi)) kernel.unmerge_vma_pages(vma);
  return 0;`;
  const write = (name: string, body: string): string => {
    const file = join(folder, name);
    writeFileSync(file, `export function unmerge_vmas(kernel, mm) {\n  ${body}\n}\n`);
    return file;
  };
  const careless = json('explore', '--all', '--variant', write('careless.mjs', loop));
  expect(careless.status).toBe(2);
  expect(careless.result.tracesWithFinding).toBeGreaterThan(0);
  const careful = json('explore', '--all', '--variant', write('careful.mjs', `if (kernel.ksm_test_exit(mm)) return 0;\n  ${loop}`));
  expect(careful.status).toBe(0);
  expect(careful.result.tracesWithFinding).toBe(0);

  const nested = ksmrace('explore', '--all', '--variant', write('nested.mjs', 'return [mm].map((m) => kernel.ksm_test_exit(m)).length;'));
  expect(nested.stderr).toMatch(/line 2: calls of the kernel must stand in a named function/);
  expect(nested.status).toBe(1);
  const wrong = ksmrace('fuzz', '--schedules', '10', '--workers', '1', '--variant', write('wrong.mjs', "return 'x';"));
  expect(wrong.stderr).toContain('returned x, not 0 or a negative errno');
  expect(wrong.status).toBe(1);
});

test('a token whose checksum is right but that asks for nonsense is refused', () => {
  const { workload } = { workload: { variant: 'unfixed', tasks: 2, vmas: 1, pages: 1, processes: 0, scanned: false } };
  const whole = { scenario: 'ksm-exit', workload, codeHash: '00000000', schedule: [{ task: 1, steps: 5 }] };
  const seed = { strategy: 'pct', depth: 2, seed: 1, index: 1 };
  for (const [token, message] of [
    [{ ...whole, scenario: 'nix' }, /the token is for scenario nix, which is none of ksm-exit/],
    [{ ...whole, workload: { ...workload, variant: 'nix' } }, /the token is for variant nix, and ksm-exit has unfixed/],
    [{ ...whole, workload: { ...workload, tasks: 9 } }, /the token is for 9 tasks, and ksm-exit has 2 to 4/],
    [{ ...whole, workload: { ...workload, pages: 1e9 } }, /the token is for 1000000000 pages/],
    [{ ...whole, schedule: [{ task: 2, steps: 5 }] }, /the token lets task 3 run, and has 2 tasks/],
    [{ ...whole, schedule: { ...seed, strategy: '../engine' } }, /the token is for strategy ..\/engine/],
    [{ ...whole, schedule: { ...seed, depth: 1e6 } }, /the token is for depth 1000000/],
  ] as const) {
    const { status, stderr } = ksmrace('replay', encodeToken(token));
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).toBe(1);
  }
});

test('Ctrl-C writes the checkpoint and the summary, and from there it goes on', async () => {
  const file = join(folder, 'stopped.json');
  const child = spawn(process.execPath, [
    main,
    'explore',
    '--variant',
    'fixed',
    '--preemptions',
    '6',
    '--seconds',
    '40',
    '--checkpoint',
    file,
    '--json',
  ]);
  let [said, result] = ['', ''];
  child.stdout.on('data', (chunk) => {
    result += chunk;
  });
  child.stderr.on('data', (chunk) => {
    // With the first level it has begun for good.
    if (/preemptions:/.test(chunk) && !/preemptions:/.test(said)) child.kill('SIGINT');
    said += chunk;
  });
  const [status] = await once(child, 'exit');
  const summary = JSON.parse(result);
  expect([status, summary.complete, summary.partial]).toEqual([0, false, true]);
  expect(said).toContain(`go on with: ksmrace explore --resume ${file}`);
  const rest = json('explore', '--resume', file, '--seconds', '0.3').result;
  expect(rest.schedules).toBeGreaterThan(summary.schedules);
});

test.each([
  [['fuzz', '--strategy', 'pcct'], /--strategy pcct is not one of .*did you mean pct/],
  [['fuzz', '--scenario', 'nothing'], /--scenario nothing is not one of/],
  [['fuzz', '--depth', '0'], /--depth 0 is out of range/],
  [['fuzz', '--tasks', '9'], /--tasks 9 is out of range/],
  [['explore', '--all', '--preemptions', '2'], /--all and --preemptions exclude each other/],
  [['explore', '--preemptions', '9', '--tasks', '4', '--vmas', '8'], /--preemptions 9 would take about .* hours/],
  [['explore', '--check', '/nowhere/proof.json'], /proof.json cannot be read as a certificate: no such file/],
  [['explore', '--check', 'proof.json', '--resume', 'half.json'], /--check and --resume exclude each other/],
  [['explore', '--check', 'proof.json', '--vmas', '2'], /--vmas is said by the file of --check already/],
  [['explore', '--resume', 'half.json', '--variant', 'fixed'], /--variant is said by the file of --resume already/],
  [['explore', '--all', '--certificate', '/nowhere/proof.json'], /--certificate \/nowhere\/proof.json can't be written: no such file/],
  [['fuzz', '--corpus', '/proc/nowhere'], /--corpus \/proc\/nowhere can't be used: no such file/],
  [['replay', 'k2-abc'], /version k2/],
  [['replay', 'k1-abc'], /cut or mistyped/],
  [['minimize'], /TOKEN is missing/],
] as const)('%o is refused in a sentence', (args, message) => {
  const { status, stderr } = ksmrace(...args);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(status).toBe(1);
});
