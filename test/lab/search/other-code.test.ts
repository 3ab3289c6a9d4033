/** One line of the kernel is changed and the stepped form built again: what belongs to the code before is refused or guessed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const project = fileURLToPath(new URL('../../../', import.meta.url));
let other: string;
beforeAll(() => {
  other = mkdtempSync(join(tmpdir(), 'ksmrace-other-'));
  cpSync(join(project, 'package.json'), join(other, 'package.json'));
  for (const part of ['src', 'workers', 'stepped']) cpSync(join(project, 'dist', part), join(other, 'dist', part), { recursive: true });
  symlinkSync(join(project, 'node_modules'), join(other, 'node_modules'));
});
afterAll(() => rmSync(other, { recursive: true }));

function ksmrace(where: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(where, 'dist/src/cli/main.js'), ...args], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  return { status, stdout, stderr };
}

test('a certificate and a checkpoint are refused, a token is played as far as it fits', () => {
  const [proof, half] = [join(other, 'proof.json'), join(other, 'half.json')];
  const found = JSON.parse(ksmrace(project, 'explore', '--all', '--certificate', proof, '--json', '--quiet').stdout);
  ksmrace(project, 'explore', '--preemptions', '3', '--seconds', '0.01', '--checkpoint', half, '--quiet');
  expect(ksmrace(other, 'explore', '--check', proof, '--quiet').stdout).toContain('certificate: holds');

  // The unfixed loop, with the check in front.
  const file = join(other, 'dist/src/kernel/mm/ksm-variants.js');
  const code = readFileSync(file, 'utf8');
  const changed = code.replace(/(function unmergeChecked\(mm\) \{)/, '$1 if (ksm_test_exit(mm)) return 0;');
  expect(changed).not.toBe(code);
  writeFileSync(file, changed);
  const build = join(other, 'dist/src/build/stepped/main.js');
  execFileSync(process.execPath, [
    '-e',
    `import(${JSON.stringify(build)}).then((m) => m.buildStepped(${JSON.stringify(join(other, 'dist'))}))`,
  ]);

  for (const [option, statement] of [
    ['--check', proof],
    ['--resume', half],
  ] as const) {
    const refused = ksmrace(other, 'explore', option, statement);
    expect(refused.stderr).toMatch(/is a (certificate|checkpoint) of other code/);
    expect(refused.status).toBe(1);
  }
  const guessed = ksmrace(other, 'replay', found.signatures[0].token);
  expect(guessed.stdout).toContain('the token is of other code');
  expect(guessed.stdout).toContain('played as far as it fits');
  expect(guessed.status).toBe(0);
});
