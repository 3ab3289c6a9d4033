/**
 * `selftest counters`: KSM's counters after each step of known workloads, against those of a real kernel. Runs in the calling thread,
 * whose memory it takes over.
 */
import { mm_struct } from '../../kernel/include/mm_types.ts';
import { checkKsm } from '../../kernel/mm/ksm-check.ts';
import { type KsmCounters, ksmCounters } from '../../kernel/mm/ksm-counters.ts';
import { get } from '../../machine/door.ts';
import { Player } from './player.ts';
import { quickSet } from './quick-set.ts';
import { COUNTERS, type Row, readRows } from './row.ts';
import { playStep } from './steps.ts';
import { parseWorkload } from './workload.ts';

export interface SelftestResult {
  passed: number;
  failed: number;
}

/** What differs between a recorded row and the counters now. */
function differences(row: Row, player: Player): string[] {
  const now: KsmCounters = ksmCounters();
  const wrong: string[] = [];
  for (const name of COUNTERS) {
    const want = row.counters[name];
    if (want !== undefined && want !== now[name]) wrong.push(`${name} is ${now[name]}, not ${want}`);
  }
  for (const { proc, merging, items } of row.procs) {
    const mm = player.processes.get(proc);
    if (mm === undefined) {
      wrong.push(`process ${proc} is gone`);
      continue;
    }
    const has = { merging: get(mm, mm_struct.ksm_merging_pages), items: get(mm, mm_struct.ksm_rmap_items) };
    if (merging !== undefined && merging !== has.merging)
      wrong.push(`ksm_merging_pages of process ${proc} is ${has.merging}, not ${merging}`);
    if (items !== undefined && items !== has.items) wrong.push(`ksm_rmap_items of process ${proc} is ${has.items}, not ${items}`);
  }
  return wrong;
}

/** Plays one step and compares. A reading that a pass may have come before counts when it fits without or with one. */
function compareStep(row: Row, player: Player): string[] {
  const { loose } = playStep(
    player,
    row.step,
    row.procs.map(({ proc }) => proc),
  );
  let wrong = differences(row, player);
  if (loose && wrong.length > 0) {
    player.pass();
    wrong = differences(row, player);
  }
  return [...wrong, ...checkKsm()];
}

/** Plays the rows of one workload. */
function runWorkload(rows: readonly Row[], print: (line: string) => void, result: SelftestResult): void {
  const first = rows[0] as Row;
  const player = new Player(parseWorkload(first.workload));
  try {
    for (const row of rows) {
      const wrong = compareStep(row, player);
      result[wrong.length === 0 ? 'passed' : 'failed']++;
      if (wrong.length > 0) print(`${row.workload}, ${row.step}: ${wrong.join('; ')}`);
    }
  } finally {
    player.close();
  }
}

/**
 * Runs the workloads of the files (none: the built-in ones) and prints the steps that differ, then `N passed, M failed`.
 * @throws BadCounterVectors with one sentence for the user (exit code 1)
 */
export function runCountersSelftest(files: readonly string[], print: (line: string) => void): SelftestResult {
  const result = { passed: 0, failed: 0 };
  for (const rows of files.length === 0 ? [quickSet()] : files.map(readRows)) {
    const byWorkload = new Map<string, Row[]>();
    for (const row of rows) byWorkload.set(row.workload, [...(byWorkload.get(row.workload) ?? []), row]);
    for (const steps of byWorkload.values()) runWorkload(steps, print, result);
  }
  print(`${result.passed} passed, ${result.failed} failed`);
  return result;
}
