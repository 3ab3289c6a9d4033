/**
 * `raw_spinlock_t` (include/linux/spinlock.h, Linux 6.1): a spinlock that spins on PREEMPT_RT too, so it may be taken in
 * any context, and nothing but its kind inside. Works like spinlock.ts.
 * @notrace: a lock operation counts as its caller's.
 */
import { addressOf } from '../../machine/door.ts';
import { embed, NULL, type Ptr, struct, word } from '../../machine/layout.ts';
import { POINT_LOCK, POINT_TRYLOCK, POINT_UNLOCK, point } from '../../machine/points.ts';
import { preempt_disable, preempt_enable } from '../preempt.ts';
import { trace_lock, trace_unlock } from '../trace/trace-lock.ts';
import { OBJ_LOCK } from '../trace/vocabulary.ts';
import { lock_acquire, lock_release, lockdep_init_map } from './lockdep/lockdep.ts';
import { LD_WAIT_INV, LD_WAIT_SPIN, lockdep_map } from './lockdep/types.ts';
import { acquireWordSlow, releaseWord, tryWord } from './word-lock.ts';

export const raw_spinlock_t = struct('raw_spinlock_t', { lock: word, dep_map: embed(lockdep_map) });

/** Initialises a lock of the class `key`. @param object  its OBJ_* number in traces */
export function raw_spin_lock_init(lock: Ptr<'raw_spinlock_t'>, name: string, key: Ptr<'lock_class_key'>, object: number = OBJ_LOCK): void {
  lockdep_init_map(addressOf(lock, raw_spinlock_t.dep_map), name, key, 0, LD_WAIT_SPIN, LD_WAIT_INV, object);
}

/** Takes the lock. Must not sleep while it is held. @inline */
export function raw_spin_lock(lock: Ptr<'raw_spinlock_t'>): void {
  point(POINT_LOCK, lock);
  preempt_disable();
  lock_acquire(addressOf(lock, raw_spinlock_t.dep_map), 0, 0, 0, 1, NULL);
  if (!tryWord(lock, raw_spinlock_t.lock)) acquireWordSlow(lock, raw_spinlock_t.lock);
  trace_lock(addressOf(lock, raw_spinlock_t.dep_map));
}

/** Takes the lock if that needs no waiting; tells whether it did. @inline */
export function raw_spin_trylock(lock: Ptr<'raw_spinlock_t'>): boolean {
  point(POINT_TRYLOCK, lock);
  if (!tryWord(lock, raw_spinlock_t.lock)) return false;
  preempt_disable();
  lock_acquire(addressOf(lock, raw_spinlock_t.dep_map), 0, 1, 0, 1, NULL);
  trace_lock(addressOf(lock, raw_spinlock_t.dep_map));
  return true;
}

/** Gives the lock up. @inline */
export function raw_spin_unlock(lock: Ptr<'raw_spinlock_t'>): void {
  point(POINT_UNLOCK, lock);
  trace_unlock(addressOf(lock, raw_spinlock_t.dep_map));
  lock_release(addressOf(lock, raw_spinlock_t.dep_map));
  releaseWord(lock, raw_spinlock_t.lock);
  preempt_enable();
}
