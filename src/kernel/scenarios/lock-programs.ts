/**
 * Cases of the lock self-test as a scenario: a task for each, on locks and classes of its own, all on one graph. What a case
 * reports must not depend on who else takes locks in the meantime.
 */
import { get, set } from '../../machine/door.ts';
import { current, task_struct } from '../include/task_struct.ts';
import { beginSelftest, endSelftest, playSelftest } from '../lib/locking-selftest.ts';
import { newSelftest, type Selftest, type SelftestCase } from '../lib/locking-selftest-locks.ts';
import { SYSTEM_BOOTING, set_system_state } from '../locking/might_sleep.ts';
import type { Scenario, ScenarioTask, Workload } from './scenario.ts';

/** What a task's case came to in the schedule that was played last. */
export interface LockProgramOutcome {
  /** Index of the call at which the first report came; -1 for none. */
  atOp: number;
  /** Number of that report in the log; -1 for none. */
  report: number;
  /** A call that gave something else than the case says; empty: none did. */
  wrong: string;
}

let tests: readonly Selftest[] = [];
const outcomes: LockProgramOutcome[] = [];

/** Plays the cases from now on. Call it before a new engine is made. */
export function setLockPrograms(cases: readonly SelftestCase[]): void {
  tests = cases.map((of) => newSelftest(of));
  outcomes.length = 0;
  for (let i = 0; i < cases.length; i++) outcomes.push({ atOp: -1, report: -1, wrong: '' });
}

/** One outcome per case, in their order. */
export function lockProgramOutcomes(): readonly LockProgramOutcome[] {
  return outcomes;
}

function playCase(_workload: Workload, index: number): void {
  const test = tests[index] as Selftest;
  const outcome = outcomes[index] as LockProgramOutcome;
  const task = current();
  outcome.atOp = -1;
  set(task, task_struct.reports, 0);
  set(task, task_struct.first_report, 0);
  beginSelftest(test);
  for (let i = 0; i < test.of.ops.length && test.wrong === ''; i++) {
    playSelftest(test, i);
    if (outcome.atOp < 0 && get(task, task_struct.reports) > 0) outcome.atOp = i;
  }
  endSelftest();
  outcome.report = get(task, task_struct.first_report) - 1;
  outcome.wrong = test.wrong;
}

function setUp(): void {
  // As early in the kernel's life as its own self-test: before anybody could sleep.
  set_system_state(SYSTEM_BOOTING);
}

function nothing(): readonly string[] {
  return [];
}

export const lockPrograms: Scenario = {
  name: 'lock-programs',
  summary: 'cases of the lock self-test, a task each, on one graph',
  variants: ['cases'],
  taskLimits: [1, 16],
  defaults: { vmas: 1, pages: 0, processes: 0, scanned: false },
  tasks: (workload): ScenarioTask[] => Array.from({ length: workload.tasks }, (_, i) => ({ name: `case-${i + 1}`, run: playCase })),
  setUp,
  check: nothing,
  tearDown: nothing,
};
