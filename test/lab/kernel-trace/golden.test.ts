/** What the emulated kernel does in the reference scenarios is what the real one did, step by step. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { type Step, stepsByTask } from './compare-traces.ts';

const parse = (text: string): Step[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

function recorded(scenario: string, variant: string): Step[] {
  return parse(
    gunzipSync(readFileSync(new URL(`../../fixtures/kernel-traces/${scenario}-1vma-${variant}.jsonl.gz`, import.meta.url))).toString(),
  );
}

function emulated(...args: string[]): Step[] {
  return parse(execFileSync(process.execPath, ['dist/src/cli/main.js', 'trace', ...args], { encoding: 'utf8' }));
}

for (const scenario of ['a', 'b', 'bk', 'bc', 'bm', 'bo', 'c', 'd', 'ds', 'dw', 'e', 'e0', 'f']) {
  for (const [kernel, variant] of [
    ['buggy', 'unfixed'],
    ['fixed', 'fixed'],
  ] as const) {
    test(`${scenario}, ${variant}: the steps of Linux 6.1.192 (${kernel})`, () => {
      const want = stepsByTask(recorded(scenario, kernel));
      const got = stepsByTask(emulated(scenario, '--variant', variant));
      expect([...got.keys()].sort()).toEqual([...want.keys()].sort());
      for (const [task, steps] of want) expect(got.get(task), `task ${task}`).toEqual(steps);
      expect(want.size).toBeGreaterThan(1);
    });
  }
}

test('with three areas the report comes once per pass, and only without the fix', () => {
  const reports = (variant: string) => emulated('b', '--vmas', '3', '--variant', variant).filter((e) => e.ev === 'report').length;
  expect(reports('unfixed')).toBe(1);
  expect(reports('fixed')).toBe(0);
  expect(reports('both')).toBe(0);
  expect(reports('linked-list')).toBe(0);
});
