import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'ksmrace-selftest-'));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/src/cli/main.js', 'selftest', ...args], { encoding: 'utf8' });
  return { code: status, last: stdout.trimEnd().split('\n').at(-1), stdout, stderr };
};

const file = (name: string, text: string | Buffer) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const good = '{"trace":"t","flags":"plain","ops":2}\n{"op":"store","a":1,"b":3,"e":7,"r":0}\n{"op":"load","a":2,"r":7}\n';
const bad = good.replace('"r":7', '"r":8');

test('the table of the lock self-tests', () => {
  const { code, stdout, last } = run('lockdep');
  expect(stdout).toContain('A-A deadlock:  ok  |  ok  |  ok  |  ok  |  ok  |  ok  |  ok  |');
  expect(last).toBe('394 passed, 0 failed');
  expect(code).toBe(0);
});

test('a file is a case, a wrong answer names file, line, operation, expected and got', () => {
  const { code, stdout, last } = run('maple', '--vectors', file('good.jsonl', good), file('bad.jsonl.gz', gzipSync(bad)));
  expect(last).toBe('1 passed, 1 failed');
  expect(stdout).toMatch(/bad\.jsonl\.gz.*3.*load.*8.*7/);
  expect(code).toBe(2);
});

test('the built-in set of maple operations', () => {
  const { code, last } = run('maple');
  expect(last).toMatch(/^\d+ passed, 0 failed$/);
  expect(code).toBe(0);
});

test.each([
  [['mapel'], 'selftest mapel is not one of'],
  [[], 'PART is missing'],
  [['maple', '--vectors', '/nowhere/x.jsonl'], '--vectors /nowhere/x.jsonl: cannot be read'],
  [['lockdep', '--vectors', '/nowhere/x.jsonl'], '--vectors /nowhere/x.jsonl: cannot be read'],
  [['maple', 'x.jsonl'], 'unexpected argument x.jsonl'],
])('%j is bad usage', (args, sentence) => {
  const { code, stderr, stdout } = run(...args);
  expect(stderr).toContain(`ksmrace: ${sentence}`);
  expect(stderr.trimEnd().split('\n').length).toBe(1);
  expect(stdout).toBe('');
  expect(code).toBe(1);
});

test('a file that is no vector file is bad usage too', () => {
  expect(run('maple', '--vectors', file('text.txt', 'hello\n')).stderr).toContain('line 1: is not JSON');
  expect(run('lockdep', '--vectors', file('empty.jsonl', '\n')).stderr).toContain('holds no vectors');
  expect(run('lockdep', '--vectors', file('other.jsonl', '{"id":"x"}\n')).stderr).toContain('is not a lock vector');
});
