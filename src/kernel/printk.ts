/**
 * The kernel log of findings: each distinct report once as text, and how often it was found.
 *
 * Reports live in the arena, so that any thread can read them while the run goes on. A report is known by its
 * signature (kind and call site or classes); the first task to find it writes the text, all others only count.
 * @unrewound: a search counts its findings over all schedules. @notrace
 */
import { get, set } from '../machine/door.ts';
import { u8 as arenaBytes8, i32 as arenaWords, hashText, sbrk, staticStorage } from '../machine/memory.ts';
import { AREA_INDEX, currentArea } from '../machine/task-area.ts';
import { current, task_struct } from './include/task_struct.ts';
import { trace_report_logged } from './trace/trace-report.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;
const u8 = arenaBytes8;

/** Distinct reports that are kept; all further ones share one more entry, with the text of its first. */
export const MAX_REPORTS = 4096;
/** Words of an entry: hash, count, address of the text, its bytes, area index of the finder, place in the order of finding. */
const ENTRY_WORDS = 8;

const table = staticStorage('reports', (MAX_REPORTS + 1) * ENTRY_WORDS * 4).address >> 2;
const order = staticStorage('reports_found', 64).address >> 2;

/** A finding as it is told to a person. */
export interface KernelReport {
  /** e.g. `suspicious-rcu-usage`, `circular-dependency`. */
  kind: string;
  /** e.g. `suspicious RCU usage`. */
  title: string;
  /** What makes it distinct, e.g. a source position or class names. */
  key: string;
  /** The lines of the kernel's report. */
  lines: string[];
  /** What of it other programs read: locks, classes, usage, chain. */
  details?: Record<string, unknown>;
}

/** A finding with what the log adds. */
export interface LoggedReport extends KernelReport {
  count: number;
  /** Its number in the log. */
  slot: number;
  /** Index of the task that found it first. */
  task: number;
  /** 0 for the first distinct report of the run. */
  order: number;
}

let heard: (slot: number) => void = () => {};

/** Makes `listener` the one of this thread that hears of each finding, repeats included, before its text is there. */
export function onReport(listener: (slot: number) => void): void {
  heard = listener;
}

/** Number of the entry for a signature; it is made when new. Call sites may keep it. */
export function reportSlot(kind: string, key: string): number {
  const hash = hashText(`${kind}\n${key}`);
  for (let probe = 0; probe < MAX_REPORTS; probe++) {
    const slot = ((hash >>> 0) + probe) % MAX_REPORTS;
    const was = Atomics.compareExchange(i32, table + slot * ENTRY_WORDS, 0, hash);
    if (was === 0 || was === hash) return slot;
  }
  return MAX_REPORTS;
}

/** Counts one more finding of a signature; true for the first one, which must then {@link writeReport}. */
export function countReport(slot: number): boolean {
  const curr = current();
  set(curr, task_struct.reports, get(curr, task_struct.reports) + 1);
  if (get(curr, task_struct.first_report) === 0) set(curr, task_struct.first_report, slot + 1);
  heard(slot);
  return Atomics.add(i32, table + slot * ENTRY_WORDS + 1, 1) === 0;
}

/** Stores the text of a report. */
export function writeReport(slot: number, report: KernelReport): void {
  const bytes = new TextEncoder().encode(JSON.stringify(report));
  const at = sbrk(bytes.length, 8, 'the text of a report');
  u8.set(bytes, at);
  const entry = table + slot * ENTRY_WORDS;
  i32[entry + 3] = bytes.length;
  i32[entry + 4] = i32[(currentArea() + AREA_INDEX) >> 2] as number;
  i32[entry + 5] = Atomics.add(i32, order, 1);
  // Pairs with the load in readReports: whoever sees the address sees the text.
  Atomics.store(i32, entry + 2, at);
  trace_report_logged(slot);
}

/** The finding in an entry; undefined while it has no text. */
export function readReport(slot: number): LoggedReport | undefined {
  const entry = table + slot * ENTRY_WORDS;
  const at = Atomics.load(i32, entry + 2);
  if (at === 0) return undefined;
  const text = new TextDecoder().decode(u8.slice(at, at + (i32[entry + 3] as number)));
  const report = JSON.parse(text) as KernelReport;
  return { ...report, slot, count: Atomics.load(i32, entry + 1), task: i32[entry + 4] as number, order: i32[entry + 5] as number };
}

/** All findings so far, in the order of their first occurrence. */
export function readReports(): LoggedReport[] {
  const out: LoggedReport[] = [];
  for (let slot = 0; slot <= MAX_REPORTS; slot++) {
    const report = readReport(slot);
    if (report !== undefined) out.push(report);
  }
  return out.sort((a, b) => a.order - b.order);
}

/** Forgets all findings; slots kept from before stay good. No task may be about to report. */
export function clearReports(): void {
  for (let slot = 0; slot <= MAX_REPORTS; slot++) i32.fill(0, table + slot * ENTRY_WORDS + 1, table + (slot + 1) * ENTRY_WORDS);
  i32[order] = 0;
}

/** Number of findings so far, repeats included. */
export function reportsCounted(): number {
  let sum = 0;
  for (let slot = 0; slot <= MAX_REPORTS; slot++) sum += Atomics.load(i32, table + slot * ENTRY_WORDS + 1);
  return sum;
}
