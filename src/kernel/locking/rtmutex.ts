/**
 * `struct rt_mutex` (kernel/locking/rtmutex_api.c, Linux 6.1): a mutex whose owner inherits the priority of its waiters.
 * Emulated tasks have no priorities, so of that only the owner is left. The states of the word are in word-lock.ts.
 * @notrace: a lock operation counts as its caller's.
 */
import { addressOf, set } from '../../machine/door.ts';
import { embed, NULL, type Ptr, pointer, struct, word } from '../../machine/layout.ts';
import { POINT_LOCK, POINT_TRYLOCK, POINT_UNLOCK, point } from '../../machine/points.ts';
import { current } from '../include/task_struct.ts';
import { trace_lock, trace_unlock } from '../trace/trace-lock.ts';
import { OBJ_LOCK } from '../trace/vocabulary.ts';
import { lock_acquire, lock_release, lockdep_init_map } from './lockdep/lockdep.ts';
import { LD_WAIT_INV, LD_WAIT_SLEEP, lockdep_map } from './lockdep/types.ts';
import { might_sleep } from './might_sleep.ts';
import { acquireWordSlow, releaseWord, tryWord } from './word-lock.ts';

export const rt_mutex = struct('rt_mutex', {
  lock: word,
  /** Who holds it; written by the holder only. */
  owner: pointer('task_struct'),
  dep_map: embed(lockdep_map),
});

export function rt_mutex_init(lock: Ptr<'rt_mutex'>, name: string, key: Ptr<'lock_class_key'>, object: number = OBJ_LOCK): void {
  lockdep_init_map(addressOf(lock, rt_mutex.dep_map), name, key, 0, LD_WAIT_SLEEP, LD_WAIT_INV, object);
}

/** Takes it. May sleep. @inline */
export function rt_mutex_lock(lock: Ptr<'rt_mutex'>): void {
  point(POINT_LOCK, lock);
  might_sleep();
  lock_acquire(addressOf(lock, rt_mutex.dep_map), 0, 0, 0, 1, NULL);
  if (!tryWord(lock, rt_mutex.lock)) acquireWordSlow(lock, rt_mutex.lock);
  set(lock, rt_mutex.owner, current());
  trace_lock(addressOf(lock, rt_mutex.dep_map));
}

/** Takes it if it is free; tells whether it did. @inline */
export function rt_mutex_trylock(lock: Ptr<'rt_mutex'>): boolean {
  point(POINT_TRYLOCK, lock);
  if (!tryWord(lock, rt_mutex.lock)) return false;
  lock_acquire(addressOf(lock, rt_mutex.dep_map), 0, 1, 0, 1, NULL);
  set(lock, rt_mutex.owner, current());
  trace_lock(addressOf(lock, rt_mutex.dep_map));
  return true;
}

/** Gives it up; the holder only. @inline */
export function rt_mutex_unlock(lock: Ptr<'rt_mutex'>): void {
  point(POINT_UNLOCK, lock);
  trace_unlock(addressOf(lock, rt_mutex.dep_map));
  lock_release(addressOf(lock, rt_mutex.dep_map));
  set(lock, rt_mutex.owner, NULL);
  releaseWord(lock, rt_mutex.lock);
}
