/**
 * What code asks of the validator beside taking locks: assertions, and checks when memory or a task goes
 * (kernel/locking/lockdep.c, Linux 6.1). @notrace
 */
import { bootOptions } from '../../../machine/boot.ts';
import { NULL, type Ptr } from '../../../machine/layout.ts';
import { get, set } from '../../../machine/plain.ts';
import { current, held_lock, heldLock, MAX_LOCK_DEPTH, task_struct } from '../../include/task_struct.ts';
import { lock_is_held, lock_is_held_type } from './held.ts';
import { debugLocks } from './internals.ts';
import { reportHeldAtExit, reportHeldLockFreed, reportWarning } from './report-misc.ts';
import { lockdep_map } from './types.ts';

const LOCKDEP = bootOptions().lockdep !== 'off';

/** Reports unless the lock is held. @param read  as in {@link lock_is_held_type} */
export function lockdep_assert_held(map: Ptr<'lockdep_map'>, read = -1): void {
  if (!lock_is_held_type(map, read)) reportWarning('lock-not-held', '', false);
}

/** Reports when the lock is held. */
export function lockdep_assert_not_held(map: Ptr<'lockdep_map'>): void {
  if (LOCKDEP && debugLocks() && lock_is_held(map)) reportWarning('lock-held', '', false);
}

/** Reports when the current task holds any lock. */
export function lockdep_assert_none_held_once(): void {
  if (LOCKDEP && debugLocks() && get(current(), task_struct.lockdep_depth) > 0) reportWarning('lock-held', '', false);
}

/** DEBUG_LOCKS_WARN_ON: reports a broken assertion of a lock; switches the validator off in mode `stop`. */
export function debug_locks_warn(condition: string): void {
  if (LOCKDEP) reportWarning('debug-locks-warning', `DEBUG_LOCKS_WARN_ON(${condition})`, true);
}

/** Does an entry's lock lie in this memory? */
function heldWithin(curr: Ptr<'task_struct'>, start: number, bytes: number): Ptr<'held_lock'> {
  for (let i = 0; i < get(curr, task_struct.lockdep_depth); i++) {
    const at = get(heldLock(curr, i), held_lock.instance) as number;
    if (at >= start && at < start + bytes) return heldLock(curr, i);
  }
  return NULL;
}

/** Memory is about to be freed: reports a lock in it that the current task holds. */
export function debug_check_no_locks_freed(start: number, bytes: number): void {
  if (!LOCKDEP || get(current(), task_struct.lockdep_depth) === 0 || !debugLocks()) return;
  const held = heldWithin(current(), start, bytes);
  if (held !== NULL) reportHeldLockFreed('held-lock-freed', start, bytes, held);
}

/** A lock is initialised: reports when the current task holds it. */
export function debug_check_no_locks_reinit(map: Ptr<'lockdep_map'>): void {
  if (get(current(), task_struct.lockdep_depth) === 0 || !debugLocks()) return;
  const held = heldWithin(current(), map, lockdep_map.SIZE);
  if (held !== NULL) reportHeldLockFreed('held-lock-reinit', map, lockdep_map.SIZE, held);
}

/** A task leaves the kernel: reports the locks that it still holds. */
export function lockdep_sys_exit(): void {
  if (LOCKDEP && debugLocks() && get(current(), task_struct.lockdep_depth) > 0) reportHeldAtExit();
}

/** The task holds nothing from now on, in task context with interrupts on: a new task, or one that an error unwound. */
export function lockdep_init_task(tsk: Ptr<'task_struct'>): void {
  for (let i = 0; i < MAX_LOCK_DEPTH; i++) {
    set(heldLock(tsk, i), held_lock.nest_lock, NULL);
    set(heldLock(tsk, i), held_lock.references, 0);
    set(heldLock(tsk, i), held_lock.pin_count, 0);
  }
  set(tsk, task_struct.lockdep_depth, 0);
  set(tsk, task_struct.chain_key_lo, 0);
  set(tsk, task_struct.chain_key_hi, 0);
  set(tsk, task_struct.irq_state, 0);
  set(tsk, task_struct.hardirq_context, 0);
  set(tsk, task_struct.softirq_context, 0);
  set(tsk, task_struct.softirq_disable_depth, 0);
  set(tsk, task_struct.preempt_count, 0);
  set(tsk, task_struct.rcu_read_lock_nesting, 0);
  set(tsk, task_struct.nofs_depth, 0);
}
