/** The table of lock self-tests, cell by cell as a real kernel printed it, and its cases against recorded ones. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { selftestTable, selftestVectors } from '../../../src/lab/selftest-lockdep/selftest.ts';
import { suite } from '../../../src/lab/selftest-lockdep/suite.ts';
import { readVectors, type Vector, type VectorOp } from '../../../src/lab/selftest-lockdep/vector.ts';

const fixture = (name: string): string => new URL(`../../fixtures/lockdep/${name}`, import.meta.url).pathname;
const vectors = readVectors([fixture('vectors.jsonl.gz')]);
const cells = suite().flatMap((line) => (typeof line === 'string' ? [] : line.cells.filter((cell) => cell !== undefined)));

test('the table is the one that Linux 6.1 prints', () => {
  const lines: string[] = [];
  const result = selftestTable((line) => lines.push(line));
  const kernel = gunzipSync(readFileSync(fixture('locking-selftest.txt.gz')))
    .toString('utf8')
    .trimEnd()
    .split('\n');
  expect(lines.slice(0, kernel.length)).toEqual(kernel);
  expect(lines.slice(kernel.length)).toEqual(['394 passed, 0 failed']);
  expect(result).toEqual({ passed: 394, failed: 0 });
});

test('the cases of the table are those of the recorded vectors', () => {
  const byId = new Map(cells.map((cell) => [cell.id, cell]));
  expect(byId.size).toBe(394);
  const plain = (op: VectorOp): object => Object.fromEntries(Object.entries(op).filter(([field]) => field !== 'subclass'));
  for (const vector of vectors) {
    const cell = byId.get(vector.id) as Vector;
    expect([vector.id, cell.section, cell.expect, cell.ops.map(plain)]).toEqual([
      vector.id,
      vector.section,
      vector.expect,
      vector.ops.map(plain),
    ]);
  }
});

test('250 of the cases report, 144 stay silent', () => {
  expect(cells.filter((cell) => cell.expect === 'FAILURE').length).toBe(250);
});

test('a vector that expects something else is told as failing', () => {
  const silent = vectors.find((vector) => vector.expect === 'SUCCESS' && vector.ops.length > 2) as Vector;
  const lines: string[] = [];
  expect(selftestVectors([{ ...silent, expect: 'FAILURE' }], (line) => lines.push(line))).toEqual({ passed: 0, failed: 1 });
  expect(lines.at(-1)).toBe('0 passed, 1 failed');
  expect(lines[0]).toContain(silent.id);
});
