/**
 * The preemption count, as `in_atomic()` reads it (include/linux/preempt.h, Linux 6.1). Nothing is preempted here; the
 * count tells the checks of might_sleep that a task must not sleep. Without the validator nobody asks, and nothing is counted. @notrace
 */
import { bootOptions } from '../machine/boot.ts';
import { get, set } from '../machine/plain.ts';
import { current, task_struct } from './include/task_struct.ts';

const COUNTED = bootOptions().lockdep !== 'off';

/** From here on the task must not sleep. Nests. @inline */
export function preempt_disable(): void {
  if (!COUNTED) return;
  const curr = current();
  set(curr, task_struct.preempt_count, get(curr, task_struct.preempt_count) + 1);
}

/** Takes one {@link preempt_disable} back. @inline */
export function preempt_enable(): void {
  if (!COUNTED) return;
  const curr = current();
  set(curr, task_struct.preempt_count, get(curr, task_struct.preempt_count) - 1);
}

/** The count: spinlocks held and disables. @inline */
export function preempt_count(): number {
  return get(current(), task_struct.preempt_count);
}
