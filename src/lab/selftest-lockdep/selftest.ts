/**
 * `selftest lockdep`: the kernel's table of lock self-tests, one real run per cell against the live validator; or vector
 * files, each case by its calls and by its events. Runs in the calling thread, whose memory it takes over.
 */
import { lockdep_reset } from '../../kernel/locking/lockdep/internals.ts';
import { SYSTEM_BOOTING, SYSTEM_RUNNING, set_system_state } from '../../kernel/locking/might_sleep.ts';
import { clearReports } from '../../kernel/printk.ts';
import { type How, type Outcome, runVector } from './run-vector.ts';
import { type SuiteRow, suite } from './suite.ts';
import type { Vector } from './vector.ts';

export interface SelftestResult {
  passed: number;
  failed: number;
}

/** A line of output. */
export type Print = (line: string) => void;

/** Starts from an empty graph, as the suite does between two cases. */
function runFresh(vector: Vector, how: How): Outcome {
  lockdep_reset();
  clearReports();
  return runVector(vector, how);
}

/** A cell: as wide as the kernel prints it; two columns left free share one bar. */
function cellText(cells: SuiteRow['cells'], i: number, passed: (vector: Vector) => boolean): string {
  const cell = cells[i];
  if (cell !== undefined) return passed(cell) ? '  ok  |' : 'FAILED|';
  return cells.length <= 3 && cells[2] !== undefined ? '      |' : '             |';
}

/** Prints the table. @returns cells that came out as expected, and those that did not */
export function selftestTable(print: Print): SelftestResult {
  const result = { passed: 0, failed: 0 };
  const failing: string[] = [];
  const passed = (vector: Vector): boolean => {
    const outcome = runFresh(vector, 'ops');
    const ok = outcome.wrong.length === 0;
    result[ok ? 'passed' : 'failed']++;
    if (!ok) failing.push(`${vector.id}: ${outcome.wrong.join('; ')}`);
    return ok;
  };
  set_system_state(SYSTEM_BOOTING);
  try {
    for (const line of suite()) {
      if (typeof line === 'string') print(line);
      else print(`${line.label.padStart(33)}:${line.cells.map((_cell, i) => cellText(line.cells, i, passed)).join('')}`);
    }
  } finally {
    set_system_state(SYSTEM_RUNNING);
  }
  const total = result.passed + result.failed;
  print('-'.repeat(55));
  print(
    result.failed === 0
      ? `Good, all ${total} testcases passed! |`
      : `BUG: ${result.failed} unexpected failures (out of ${total}) - debugging disabled! |`,
  );
  print('-'.repeat(result.failed === 0 ? 33 : 65));
  for (const line of failing) print(line);
  print(`${result.passed} passed, ${result.failed} failed`);
  return result;
}

/** Replays vectors both ways and prints the failing ones. A vector passes when both ways come out as it says and agree. */
export function selftestVectors(vectors: readonly Vector[], print: Print): SelftestResult {
  const result = { passed: 0, failed: 0 };
  let otherCycles = 0;
  set_system_state(SYSTEM_BOOTING);
  try {
    for (const vector of vectors) {
      const byOps = runFresh(vector, 'ops');
      const byEvents = runFresh(vector, 'events');
      const wrong = [...byOps.wrong.map((text) => `by ops: ${text}`), ...byEvents.wrong.map((text) => `by events: ${text}`)];
      if (byOps.kind !== byEvents.kind) wrong.push(`ops and events disagree: ${byOps.kind ?? 'silent'} and ${byEvents.kind ?? 'silent'}`);
      for (const note of new Set([...byOps.notes, ...byEvents.notes])) {
        otherCycles++;
        print(`${vector.id}: ${note}`);
      }
      result[wrong.length === 0 ? 'passed' : 'failed']++;
      if (wrong.length > 0) print(`${vector.id}: ${wrong.join('; ')}`);
    }
  } finally {
    set_system_state(SYSTEM_RUNNING);
  }
  if (otherCycles > 0) print(`${otherCycles} reports name another cycle of the same length`);
  print(`${result.passed} passed, ${result.failed} failed`);
  return result;
}
