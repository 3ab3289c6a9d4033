/**
 * Soft interrupts of an emulated task (kernel/softirq.c, Linux 6.1).
 * @notrace
 */
import { get, set } from '../machine/door.ts';
import { current, task_struct } from './include/task_struct.ts';
import {
  lockdep_hardirqs_off,
  lockdep_hardirqs_on,
  lockdep_softirq_enter,
  lockdep_softirq_exit,
  lockdep_softirqs_off,
  lockdep_softirqs_on,
} from './locking/lockdep/irqtrace.ts';

/** Soft interrupts off. Nests. */
export function local_bh_disable(): void {
  const curr = current();
  const depth = get(curr, task_struct.softirq_disable_depth);
  set(curr, task_struct.softirq_disable_depth, depth + 1);
  if (depth === 0) lockdep_softirqs_off();
}

/** Takes one {@link local_bh_disable} back. As in Linux, hard interrupts are off while soft ones are switched on, and on afterwards. */
export function local_bh_enable(): void {
  const curr = current();
  const depth = get(curr, task_struct.softirq_disable_depth) - 1;
  lockdep_hardirqs_off();
  set(curr, task_struct.softirq_disable_depth, depth);
  if (depth === 0) lockdep_softirqs_on();
  lockdep_hardirqs_on();
}

/** A soft interrupt handler begins. */
export function softirq_enter(): void {
  lockdep_softirq_enter();
}

/** It ends. */
export function softirq_exit(): void {
  lockdep_softirq_exit();
}
