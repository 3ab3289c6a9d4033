/**
 * Failing allocations on purpose (lib/fault-inject.c, Linux 6.1): what `/proc/self/fail-nth` does. @notrace
 *
 * `task->fail_nth` counts down with every allocation of the task that may fail; the one that takes it to 0 fails.
 */
import { get, set } from '../../machine/door.ts';
import { current, task_struct } from '../include/task_struct.ts';

/** Is the allocation that comes now to fail? */
export function should_fail(): boolean {
  const curr = current();
  const left = get(curr, task_struct.fail_nth);
  if (left === 0) return false;
  set(curr, task_struct.fail_nth, left - 1);
  return left === 1;
}
