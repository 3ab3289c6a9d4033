/** "suspicious RCU usage": what `lockdep_rcu_suspicious` prints (kernel/locking/lockdep.c, Linux 6.1). @notrace */
import { currentFunction } from '../../../machine/shadow-stack.ts';
import { textOf } from '../../../machine/text.ts';
import { current } from '../../include/task_struct.ts';
import { countReport, reportSlot, writeReport } from '../../printk.ts';
import { trace_report } from '../../trace/trace-report.ts';
import { debugLocks } from './internals.ts';
import { banner, dump_stack, heldDetails, lockdep_print_held_locks } from './report-text.ts';
import { functionText, stackFrames } from './stack-trace.ts';

const KIND = 'suspicious-rcu-usage';

/** Slots by function and field, so that repeats need no stack: 80,000 a second must be countable. */
const slotOf = new Map<number, number>();

/** Functions that are the check itself, not its user. */
const OWN = /^(lockdep_rcu_suspicious|rcu_dereference_check|rcu_dereference_protected|rcu_access_pointer|__might_resched|__might_sleep)\+/;

/** The place in the source that dereferenced, and its frame. */
function callSite(): string {
  const frame = stackFrames()
    .map(textOf)
    .find((text) => !OWN.test(text));
  return frame === undefined ? functionText(currentFunction()) : frame;
}

/**
 * Reports a dereference that no lock and no read section protects; the text once per place in the source and run.
 * It does not switch the validator off.
 * @param what  the check that failed, e.g. `rcu_dereference_check`; or a whole sentence
 * @param field  offset of the field, to tell two dereferences of one function apart
 */
export function lockdep_rcu_suspicious(what: string, field = 0): void {
  if (!debugLocks()) return;
  const fn = currentFunction();
  const site = fn === 0 ? -1 : (fn << 12) | (field & 0xfff);
  let slot = slotOf.get(site);
  let place = '';
  if (slot === undefined) {
    place = callSite();
    slot = reportSlot(KIND, `${what} at ${place}`);
    if (site !== -1) slotOf.set(site, slot);
  }
  trace_report();
  if (!countReport(slot)) return;
  place ||= callSite();
  writeReport(slot, {
    kind: KIND,
    title: 'suspicious RCU usage',
    key: `${what} at ${place}`,
    lines: [
      ...banner('WARNING: suspicious RCU usage', 29),
      `${place.slice(place.indexOf('+') + 1)} ${what.includes(' ') ? what : `suspicious ${what}() usage`}!`,
      '',
      'other info that might help us debug this:',
      '',
      '',
      'rcu_scheduler_active = 2, debug_locks = 1',
      ...lockdep_print_held_locks(current()),
      '',
      'stack backtrace:',
      ...dump_stack(),
    ],
    details: { held: heldDetails(current()) },
  });
}
