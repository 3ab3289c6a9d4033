/**
 * `local_lock_t` (include/linux/local_lock.h, Linux 6.1): names a section that one CPU may be in. A task is a CPU of its
 * own here, so it excludes nobody: what counts is the validator's view of it, one instance per CPU.
 * @notrace: a lock operation counts as its caller's.
 */
import { addressOf } from '../../machine/door.ts';
import { embed, NULL, type Ptr, struct } from '../../machine/layout.ts';
import { preempt_disable, preempt_enable } from '../preempt.ts';
import { trace_lock, trace_unlock } from '../trace/trace-lock.ts';
import { OBJ_LOCK } from '../trace/vocabulary.ts';
import { lock_acquire, lock_release, lockdep_init_map } from './lockdep/lockdep.ts';
import { LD_LOCK_PERCPU, LD_WAIT_CONFIG, LD_WAIT_INV, lockdep_map } from './lockdep/types.ts';

export const local_lock_t = struct('local_lock_t', { dep_map: embed(lockdep_map) });

/** Initialises a lock of the class `key`. */
export function local_lock_init(lock: Ptr<'local_lock_t'>, name: string, key: Ptr<'lock_class_key'>, object: number = OBJ_LOCK): void {
  lockdep_init_map(addressOf(lock, local_lock_t.dep_map), name, key, 0, LD_WAIT_CONFIG, LD_WAIT_INV, object, LD_LOCK_PERCPU);
}

/** Enters the section. @inline */
export function local_lock(lock: Ptr<'local_lock_t'>): void {
  preempt_disable();
  lock_acquire(addressOf(lock, local_lock_t.dep_map), 0, 0, 0, 1, NULL);
  trace_lock(addressOf(lock, local_lock_t.dep_map));
}

/** Leaves it. @inline */
export function local_unlock(lock: Ptr<'local_lock_t'>): void {
  trace_unlock(addressOf(lock, local_lock_t.dep_map));
  lock_release(addressOf(lock, local_lock_t.dep_map));
  preempt_enable();
}
