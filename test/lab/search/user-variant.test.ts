/** Variants of the user's own in the search: several files, kernel functions by import, and what they mean for tokens and proofs. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const dist = fileURLToPath(new URL('../../../dist/', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ksmrace-variant-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function ksmrace(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(dist, 'src/cli/main.js'), ...args], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  return { status, stdout, stderr };
}
function json(...args: string[]) {
  const { status, stdout, stderr } = ksmrace(...args, '--json', '--quiet');
  expect(stderr).toBe('');
  return { status, result: JSON.parse(stdout) };
}
function write(name: string, ...lines: string[]): string {
  const file = join(folder, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}
const LOOP = [
  '  const vmi = kernel.vma_iter_init(mm);',
  '  for (let vma = kernel.vma_next(vmi); vma !== 0; vma = kernel.vma_next(vmi)) kernel.unmerge_vma_pages(vma);',
  '  return 0;',
];

test('a module may import kernel functions: they step, and it starts on real threads', () => {
  const file = write(
    'imports.mjs',
    `import { mmput } from '${dist}src/kernel/fork.js';`,
    `import { mm_struct } from '${dist}src/kernel/include/mm_types.js';`,
    `import { atomic_read as read } from '${dist}src/machine/door.js';`,
    'export function unmerge_vmas(kernel, mm) {',
    '  if (read(mm, mm_struct.mm_users) === 0) return 0;',
    '  if (mm === 0) mmput(mm);',
    ...LOOP,
    '}',
  );
  const proof = json('explore', '--all', '--variant', file);
  expect(proof.status).toBe(0);
  // As the built-in fix, whose one look at mm_users is a step too.
  expect(proof.result.traces).toBe(json('explore', '--all', '--variant', 'fixed').result.traces);
  const free = json('stress', '--variant', file, '--trials', '3000', '--workers', '2');
  expect([free.status, free.result.trials]).toEqual([0, 3000]);
  expect(free.result.hits.total).toBeGreaterThan(0);
});

test('kernel functions that step may only be called by name, and compiled ones only', () => {
  const value = write(
    'value.mjs',
    `import { mmput } from '${dist}src/kernel/fork.js';`,
    'export const put = mmput;',
    'export function unmerge_vmas() { return 0; }',
  );
  expect(ksmrace('fuzz', '--variant', value)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/line 2: mmput\(\) reaches a scheduling point/),
  });
  const source = write(
    'source.mjs',
    `import { mmput } from '${dist}../src/kernel/fork.ts';`,
    'export function unmerge_vmas(kernel, mm) { mmput(mm); }',
  );
  expect(ksmrace('fuzz', '--variant', source)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('import the compiled dist/src/kernel/fork.js'),
  });
});

test('code in further files, and a change of any of them, belongs to tokens, proofs and checkpoints', () => {
  mkdirSync(join(folder, 'many'), { recursive: true });
  const helper = (body: string): string => write('many/helper.mjs', 'export function stop(k, mm) {', `  ${body}`, '}');
  helper('return false;');
  const file = write(
    'many/main.mjs',
    "import { stop } from './helper.mjs';",
    'export function unmerge_vmas(kernel, mm) {',
    '  if (stop(kernel, mm)) return 0;',
    ...LOOP,
    '}',
  );
  const [proof, checkpoint] = [join(folder, 'proof.json'), join(folder, 'half.json')];
  const found = json('explore', '--all', '--variant', file, '--certificate', proof);
  expect(found.status).toBe(2);
  const { token } = found.result.signatures[0];
  const again = json('replay', token, '--variant', file, '--real-threads').result;
  expect([again.sameCode, again.reports, again.realThreads.same]).toEqual([true, 1, true]);
  ksmrace('explore', '--preemptions', '3', '--variant', file, '--seconds', '0.01', '--checkpoint', checkpoint, '--quiet');

  // The same files elsewhere are the same code.
  cpSync(join(folder, 'many'), join(folder, 'copy'), { recursive: true });
  expect(ksmrace('explore', '--check', proof, '--variant', join(folder, 'copy', 'main.mjs'), '--quiet').stdout).toContain(
    'certificate: holds',
  );
  expect(ksmrace('explore', '--check', proof).stderr).toContain('name its module with --variant FILE');

  helper('return k.ksm_test_exit(mm);');
  const guessed = ksmrace('replay', token, '--variant', file);
  expect(guessed.stdout).toContain('the token is of other code');
  expect([guessed.status, json('replay', token, '--variant', file).result.reports]).toEqual([0, 0]);
  for (const [option, statement] of [
    ['--check', proof],
    ['--resume', checkpoint],
  ] as const) {
    const refused = ksmrace('explore', option, statement, '--variant', file);
    expect(refused.stderr).toMatch(/is a (certificate|checkpoint) of other code/);
    expect(refused.status).toBe(1);
  }
});
