/**
 * Keeps what led to a new report: at its moment the reporting task copies the rings of all tasks, cut to the story,
 * into the arena, where they outlive the task. The others run on meanwhile, so only their past is read.
 */
import { MAX_REPORTS } from '../../kernel/printk.ts';
import { ledgerLines } from '../../kernel/ref-ledger.ts';
import { i32, sbrk, staticStorage, u8 } from '../../machine/memory.ts';
import { readRing } from '../../machine/recorder.ts';
import { AREA_INDEX, currentArea } from '../../machine/task-area.ts';
import { cutTask, subjectOf, type TaskRecords } from '../diagram/from-records.ts';
import { sumCounters } from './counters.ts';
import type { WorldOrder } from './orders.ts';
import { taskNames } from './roles.ts';
import { elapsed } from './run-state.ts';

/** What was kept of a report. */
export interface Capture {
  /** Number of the report in the kernel's log. */
  slot: number;
  /** Trials before it, and this one. */
  trial: number;
  /** Seconds after the start of the run. */
  seconds: number;
  /** The reporting task first. */
  tasks: TaskRecords[];
  /** Who took and who dropped the references of the mm that was visited; empty when that is not kept, or none was. */
  ledger: string[];
}

/** Per report, by its number in the kernel's log: address of the text, its bytes. */
const table = staticStorage('lab_captures', (MAX_REPORTS + 1) * 8).address >> 2;

/**
 * Called in the task that wrote report `slot`, right then.
 * @param mm  the mm that the task visits, or 0
 */
export function captureReport(slot: number, order: WorldOrder, mm: number): void {
  const self = i32[(currentArea() + AREA_INDEX) >> 2] as number;
  const mine = order.record ? readRing(self) : [];
  const subject = subjectOf(mine);
  const tasks: TaskRecords[] = [];
  for (const [index, name] of taskNames(order)) {
    if (!order.record) break;
    const records = cutTask(index === self ? mine : readRing(index), subject, index === self);
    if (index === self) tasks.unshift({ index, name, records });
    else if (records.length > 0) tasks.push({ index, name, records });
  }
  const capture: Capture = {
    slot,
    trial: Math.min(order.trials, sumCounters(0).trials + 1),
    seconds: elapsed(),
    tasks,
    ledger: mm === 0 ? [] : ledgerLines(mm),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(capture));
  const at = sbrk(bytes.length, 8, 'the events before a report');
  u8.set(bytes, at);
  i32[table + 2 * slot + 1] = bytes.length;
  // Pairs with the load in readCaptures: whoever sees the address sees the text.
  Atomics.store(i32, table + 2 * slot, at);
}

/** What was kept so far, by number of the report. */
export function readCapture(slot: number): Capture | undefined {
  const at = Atomics.load(i32, table + 2 * slot);
  if (at === 0) return undefined;
  return JSON.parse(new TextDecoder().decode(u8.slice(at, at + (i32[table + 2 * slot + 1] as number)))) as Capture;
}
