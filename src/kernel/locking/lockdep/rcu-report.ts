/** "suspicious RCU usage": what `lockdep_rcu_suspicious` prints (kernel/locking/lockdep.c, Linux 6.1). @notrace */
import { currentFunction } from '../../../machine/shadow-stack.ts';
import { countReport, reportSlot, writeReport } from '../../printk.ts';
import { trace_report } from '../../trace/trace-report.ts';

const slotOf = new Map<number, number>();

/**
 * Reports a dereference that no lock and no read section protects; the text once per call site and run.
 * @param what  the check that failed, e.g. `rcu_dereference_check`
 */
export function lockdep_rcu_suspicious(what: string): void {
  const fn = currentFunction();
  let slot = slotOf.get(fn);
  if (slot === undefined) {
    slot = reportSlot('suspicious-rcu-usage', `${what}@${fn}`);
    slotOf.set(fn, slot);
  }
  trace_report();
  if (!countReport(slot)) return;
  writeReport(slot, {
    kind: 'suspicious-rcu-usage',
    title: 'suspicious RCU usage',
    key: `${what}@${fn}`,
    lines: [`suspicious ${what}() usage!`],
  });
}
