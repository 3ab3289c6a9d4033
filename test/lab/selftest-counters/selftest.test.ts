import { afterEach, expect, test } from 'vitest';
import { KSM, ksm } from '../../../src/kernel/mm/ksm-types.ts';
import { readRows } from '../../../src/lab/selftest-counters/row.ts';
import { runCountersSelftest } from '../../../src/lab/selftest-counters/selftest.ts';
import { playStep } from '../../../src/lab/selftest-counters/steps.ts';
import { BadCounterVectors, parseWorkload } from '../../../src/lab/selftest-counters/workload.ts';
import { set } from '../../../src/machine/door.ts';
import { slabInfo } from '../../../src/machine/slab.ts';

const recorded = new URL('../../fixtures/kernel-traces/ksm-counters.json.gz', import.meta.url).pathname;
const before = slabInfo();
afterEach(() => expect(slabInfo()).toEqual(before));

test('every counter after every step is that of Linux 6.1', () => {
  const lines: string[] = [];
  expect(runCountersSelftest([recorded], (line) => lines.push(line))).toEqual({ passed: readRows(recorded).length, failed: 0 });
  expect(lines).toEqual(['59 passed, 0 failed']);
});

test('the built-in workloads', () => {
  expect(runCountersSelftest([], () => {}).failed).toBe(0);
});

test('a counter that is off is found', () => {
  set(ksm, KSM.ksm_stable_node_dups, 1);
  const lines: string[] = [];
  const { failed } = runCountersSelftest([], (line) => lines.push(line));
  set(ksm, KSM.ksm_stable_node_dups, 0);
  expect(failed).toBeGreaterThan(10);
  expect(lines[0]).toContain('stable_node_dups is 1, not 0');
});

test('what is not understood is the user’s to mend', () => {
  expect(() => parseWorkload('64 equal pages')).toThrow(BadCounterVectors);
  expect(() => parseWorkload('1 process x 64 pages')).toThrow(BadCounterVectors);
  expect(() => parseWorkload('1 process x 64 equal pages, run=2')).toThrow(/sets run/);
  expect(() => playStep(undefined as never, 'after breakfast', [])).toThrow(/not known/);
  expect(() => readRows('/nowhere.json')).toThrow(/ENOENT/);
});
