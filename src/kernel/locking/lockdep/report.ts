/**
 * Filing a finding of the validator: the mode decides whether it goes on, the log whether the text is new.
 * @notrace
 */
import { bootOptions } from '../../../machine/boot.ts';
import { countReport, type KernelReport, reportSlot, writeReport } from '../../printk.ts';
import { debug_locks_off, debugLocks } from './internals.ts';

const STOP = bootOptions().lockdep === 'stop';

/** Slots by kind and key, so that a repeat costs a map lookup. */
const slots = new Map<string, number>();

/** The slot of a signature. */
function slotOf(kind: string, key: string): number {
  const name = `${kind}\n${key}`;
  let slot = slots.get(name);
  if (slot === undefined) {
    slot = reportSlot(kind, key);
    slots.set(name, slot);
  }
  return slot;
}

/** Lines of a report, and what of it other programs read. */
export interface ReportText {
  lines: string[];
  details?: Record<string, unknown>;
}

/**
 * Counts a finding and, when its signature is new, writes its text.
 * @param key  what makes it distinct among those of its kind: class names or a call site
 * @param turnsOff  in the kernel this kind switches the validator off (so it does in mode `stop`)
 */
export function fileReport(kind: string, title: string, key: string, turnsOff: boolean, text: () => ReportText): void {
  if (!debugLocks()) return;
  if (STOP && turnsOff && !debug_locks_off()) return;
  const slot = slotOf(kind, key);
  if (!countReport(slot)) return;
  const report: KernelReport = { kind, title, key, ...text() };
  writeReport(slot, report);
}
