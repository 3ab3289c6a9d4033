/**
 * `struct mutex` (include/linux/mutex.h, Linux 6.1): a sleeping lock with an owner. The states of the word are in
 * word-lock.ts. Left out: optimistic spinning on the owner, handoff, interruptible forms.
 * @notrace: a lock operation counts as its caller's.
 */
import { addressOf, get, set } from '../../machine/door.ts';
import { embed, NULL, type Ptr, pointer, struct, word } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { POINT_LOCK, POINT_TRYLOCK, POINT_UNLOCK, point } from '../../machine/points.ts';
import { current } from '../include/task_struct.ts';
import { trace_lock, trace_unlock } from '../trace/trace-lock.ts';
import { OBJ_LOCK } from '../trace/vocabulary.ts';
import { lock_acquire, lock_release, lockdep_init_map } from './lockdep/lockdep.ts';
import { LD_WAIT_INV, LD_WAIT_SLEEP, lockdep_map, rememberStaticMap, staticKey } from './lockdep/types.ts';
import { might_sleep } from './might_sleep.ts';
import { acquireWordSlow, releaseWord, tryWord } from './word-lock.ts';

export const mutex = struct('mutex', {
  lock: word,
  /** Who holds it; written by the holder only. */
  owner: pointer('task_struct'),
  dep_map: embed(lockdep_map),
});

export function mutex_init(lock: Ptr<'mutex'>, name: string, key: Ptr<'lock_class_key'>, object: number = OBJ_LOCK): void {
  lockdep_init_map(addressOf(lock, mutex.dep_map), name, key, 0, LD_WAIT_SLEEP, LD_WAIT_INV, object);
}

/** A static mutex with a class of its own. */
export function DEFINE_MUTEX(name: string, object: number = OBJ_LOCK): Ptr<'mutex'> {
  const { address, fresh } = staticStorage(name, mutex.SIZE);
  const lock = address as Ptr<'mutex'>;
  if (fresh) mutex_init(lock, name, staticKey(name), object);
  rememberStaticMap(addressOf(lock, mutex.dep_map));
  return lock;
}

/** Takes the mutex. May sleep. @inline */
export function mutex_lock(lock: Ptr<'mutex'>): void {
  point(POINT_LOCK, lock);
  might_sleep();
  lock_acquire(addressOf(lock, mutex.dep_map), 0, 0, 0, 1, NULL);
  if (!tryWord(lock, mutex.lock)) acquireWordSlow(lock, mutex.lock);
  set(lock, mutex.owner, current());
  trace_lock(addressOf(lock, mutex.dep_map));
}

/** Takes the mutex as subclass `subclass` of its class, for several of one class in a known order. May sleep. */
export function mutex_lock_nested(lock: Ptr<'mutex'>, subclass: number): void {
  point(POINT_LOCK, lock);
  might_sleep();
  lock_acquire(addressOf(lock, mutex.dep_map), subclass, 0, 0, 1, NULL);
  if (!tryWord(lock, mutex.lock)) acquireWordSlow(lock, mutex.lock);
  set(lock, mutex.owner, current());
  trace_lock(addressOf(lock, mutex.dep_map));
}

/** Takes the mutex, one of several of its class that are taken under the held lock `nest` only. May sleep. */
export function mutex_lock_nest_lock(lock: Ptr<'mutex'>, nest: Ptr<'lockdep_map'>): void {
  point(POINT_LOCK, lock);
  might_sleep();
  lock_acquire(addressOf(lock, mutex.dep_map), 0, 0, 0, 1, nest);
  if (!tryWord(lock, mutex.lock)) acquireWordSlow(lock, mutex.lock);
  set(lock, mutex.owner, current());
  trace_lock(addressOf(lock, mutex.dep_map));
}

/** Takes the mutex if it is free; tells whether it did. @inline */
export function mutex_trylock(lock: Ptr<'mutex'>): boolean {
  point(POINT_TRYLOCK, lock);
  if (!tryWord(lock, mutex.lock)) return false;
  lock_acquire(addressOf(lock, mutex.dep_map), 0, 1, 0, 1, NULL);
  set(lock, mutex.owner, current());
  trace_lock(addressOf(lock, mutex.dep_map));
  return true;
}

/** Gives the mutex up; the holder only. @inline */
export function mutex_unlock(lock: Ptr<'mutex'>): void {
  point(POINT_UNLOCK, lock);
  trace_unlock(addressOf(lock, mutex.dep_map));
  lock_release(addressOf(lock, mutex.dep_map));
  set(lock, mutex.owner, NULL);
  releaseWord(lock, mutex.lock);
}

/** True while somebody holds it; a racy look. */
export function mutex_owner(lock: Ptr<'mutex'>): Ptr<'task_struct'> {
  return get(lock, mutex.owner);
}
