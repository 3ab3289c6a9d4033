/**
 * `struct rw_semaphore` (kernel/locking/rwsem.c, Linux 6.1): many readers or one writer, first come first served.
 *
 * `count`:
 *
 * | bits | meaning |
 * |---|---|
 * | 0 RWSEM_WRITER_LOCKED | a writer holds it |
 * | 1 RWSEM_FLAG_WAITERS | the queue is not empty: no fast path, so a waiting writer stops new readers |
 * | 8.. | number of readers, times RWSEM_READER_BIAS |
 *
 * The queue is handed the lock: whoever releases grants it to the writer at the front, or to all readers in front of the
 * first writer, before they run. Left out: optimistic spinning (a waiter spins on its own word instead), the
 * handoff bit (every hand-over is one), waking readers that stand behind a writer.
 * @notrace: a lock operation counts as its caller's.
 */
import { addressOf, elementOf, get, set } from '../../machine/door.ts';
import { embed, NULL, type Ptr, pointer, struct, word } from '../../machine/layout.ts';
import { addWord, andWord, casWord, guessWord, loadWord, swapWord, tryCas } from '../../machine/lockword.ts';
import { POINT_LOCK, POINT_RLOCK, POINT_RUNLOCK, POINT_TRYLOCK, POINT_UNLOCK, point } from '../../machine/points.ts';
import { awaitChange, spinWhile, wakeWord } from '../../machine/wait.ts';
import { current, rwsem_waiter, task_struct } from '../include/task_struct.ts';
import { trace_lock, trace_rlock, trace_runlock, trace_unlock } from '../trace/trace-lock.ts';
import { OBJ_LOCK } from '../trace/vocabulary.ts';
import { lock_acquire, lock_release, lockdep_init_map } from './lockdep/lockdep.ts';
import { LD_WAIT_INV, LD_WAIT_SLEEP, lockdep_map } from './lockdep/types.ts';
import { might_sleep } from './might_sleep.ts';
import { acquireWordSlow, releaseWord, tryWord } from './word-lock.ts';

export const RWSEM_WRITER_LOCKED = 1;
export const RWSEM_FLAG_WAITERS = 2;
export const RWSEM_READER_BIAS = 256;
const READER = 0;
const WRITER = 1;
const PARKED = 2;

export const rw_semaphore = struct('rw_semaphore', {
  count: word,
  /** The writer that holds it; written by the writer only. */
  owner: pointer('task_struct'),
  wait_lock: word,
  // Protected by wait_lock.
  first: pointer('rwsem_waiter'),
  last: pointer('rwsem_waiter'),
  dep_map: embed(lockdep_map),
});

export function init_rwsem(sem: Ptr<'rw_semaphore'>, name: string, key: Ptr<'lock_class_key'>, object: number = OBJ_LOCK): void {
  set(sem, rw_semaphore.count, 0);
  set(sem, rw_semaphore.owner, NULL);
  set(sem, rw_semaphore.wait_lock, 0);
  set(sem, rw_semaphore.first, NULL);
  set(sem, rw_semaphore.last, NULL);
  lockdep_init_map(addressOf(sem, rw_semaphore.dep_map), name, key, 0, LD_WAIT_SLEEP, LD_WAIT_INV, object);
}

/** Fast path of a reader: neither writer nor queue. Pairs with the decrements in up_read and up_write. @inline */
function tryRead(sem: Ptr<'rw_semaphore'>): boolean {
  let seen = guessWord(sem, rw_semaphore.count);
  while ((seen & (RWSEM_WRITER_LOCKED | RWSEM_FLAG_WAITERS)) === 0) {
    const was = casWord(sem, rw_semaphore.count, seen, seen + RWSEM_READER_BIAS);
    if (was === seen) return true;
    seen = was;
  }
  return false;
}

/**
 * Queues the current task unless the lock can be had at once; true when it was queued.
 * Must hold wait_lock. With the flag set here, the holder's release finds the queue.
 */
function queueUnlessFree(sem: Ptr<'rw_semaphore'>, type: number, waiter: Ptr<'rwsem_waiter'>): boolean {
  const blocking = type === READER ? RWSEM_WRITER_LOCKED | RWSEM_FLAG_WAITERS : -1;
  const bias = type === READER ? RWSEM_READER_BIAS : RWSEM_WRITER_LOCKED;
  for (;;) {
    const seen = loadWord(sem, rw_semaphore.count);
    if ((seen & blocking) === 0) {
      if (tryCas(sem, rw_semaphore.count, seen, seen + bias)) return false;
    } else if (tryCas(sem, rw_semaphore.count, seen, seen | RWSEM_FLAG_WAITERS)) break;
  }
  set(waiter, rwsem_waiter.granted, 0);
  set(waiter, rwsem_waiter.type, type);
  set(waiter, rwsem_waiter.next, NULL);
  const last = get(sem, rw_semaphore.last);
  if (last === NULL) set(sem, rw_semaphore.first, waiter);
  else set(last, rwsem_waiter.next, waiter);
  set(sem, rw_semaphore.last, waiter);
  return true;
}

/** Waits in the queue until the lock is handed over. May sleep. @inline */
function rwsem_down_slow(sem: Ptr<'rw_semaphore'>, type: number): void {
  const waiter = elementOf(current(), task_struct.waiter, rwsem_waiter, 0);
  if (!tryWord(sem, rw_semaphore.wait_lock)) acquireWordSlow(sem, rw_semaphore.wait_lock);
  const queued = queueUnlessFree(sem, type, waiter);
  releaseWord(sem, rw_semaphore.wait_lock);
  if (queued) set(current(), task_struct.contended, get(current(), task_struct.contended) + 1);
  if (!queued || spinWhile(waiter, rwsem_waiter.granted, 0)) return;
  // Pairs with the exchange in grant(): either it sees PARKED and notifies, or we see its 1.
  if (tryCas(waiter, rwsem_waiter.granted, 0, PARKED)) {
    while (loadWord(waiter, rwsem_waiter.granted) === PARKED) awaitChange(waiter, rwsem_waiter.granted, PARKED);
  }
}

/** Hands the lock to the first waiter, whose bias is in `count` already. @inline */
function grant(sem: Ptr<'rw_semaphore'>): void {
  const waiter = get(sem, rw_semaphore.first);
  const next = get(waiter, rwsem_waiter.next);
  set(sem, rw_semaphore.first, next);
  if (next === NULL) set(sem, rw_semaphore.last, NULL);
  if (swapWord(waiter, rwsem_waiter.granted, 1) === PARKED) wakeWord(waiter, rwsem_waiter.granted, 1);
}

/** Called by the last holder when the queue is not empty. @inline */
function rwsem_wake(sem: Ptr<'rw_semaphore'>): void {
  if (!tryWord(sem, rw_semaphore.wait_lock)) acquireWordSlow(sem, rw_semaphore.wait_lock);
  const free = loadWord(sem, rw_semaphore.count) === RWSEM_FLAG_WAITERS;
  const first = get(sem, rw_semaphore.first);
  if (free && first !== NULL) {
    if (get(first, rwsem_waiter.type) === WRITER) {
      addWord(sem, rw_semaphore.count, RWSEM_WRITER_LOCKED);
      grant(sem);
    } else {
      let readers = 0;
      for (let w = first; w !== NULL && get(w, rwsem_waiter.type) === READER; w = get(w, rwsem_waiter.next)) readers++;
      addWord(sem, rw_semaphore.count, readers * RWSEM_READER_BIAS);
      for (; readers > 0; readers--) grant(sem);
    }
    if (get(sem, rw_semaphore.first) === NULL) andWord(sem, rw_semaphore.count, ~RWSEM_FLAG_WAITERS);
  }
  releaseWord(sem, rw_semaphore.wait_lock);
}

/** Takes it for read. May sleep. @inline */
export function down_read(sem: Ptr<'rw_semaphore'>): void {
  point(POINT_RLOCK, sem);
  might_sleep();
  lock_acquire(addressOf(sem, rw_semaphore.dep_map), 0, 0, 1, 1, NULL);
  if (!tryRead(sem)) rwsem_down_slow(sem, READER);
  trace_rlock(addressOf(sem, rw_semaphore.dep_map));
}

/** Takes it for read if that needs no waiting; tells whether it did. @inline */
export function down_read_trylock(sem: Ptr<'rw_semaphore'>): boolean {
  point(POINT_TRYLOCK, sem);
  if (!tryRead(sem)) return false;
  lock_acquire(addressOf(sem, rw_semaphore.dep_map), 0, 1, 1, 1, NULL);
  trace_rlock(addressOf(sem, rw_semaphore.dep_map));
  return true;
}

/** Gives a read hold up. @inline */
export function up_read(sem: Ptr<'rw_semaphore'>): void {
  point(POINT_RUNLOCK, sem);
  trace_runlock(addressOf(sem, rw_semaphore.dep_map));
  lock_release(addressOf(sem, rw_semaphore.dep_map));
  const left = addWord(sem, rw_semaphore.count, -RWSEM_READER_BIAS);
  if (left === RWSEM_FLAG_WAITERS) rwsem_wake(sem);
}

/** Takes it for write, as subclass `subclass` of its class. May sleep. @inline */
export function down_write_nested(sem: Ptr<'rw_semaphore'>, subclass: number): void {
  point(POINT_LOCK, sem);
  might_sleep();
  lock_acquire(addressOf(sem, rw_semaphore.dep_map), subclass, 0, 0, 1, NULL);
  if (!tryCas(sem, rw_semaphore.count, 0, RWSEM_WRITER_LOCKED)) rwsem_down_slow(sem, WRITER);
  set(sem, rw_semaphore.owner, current());
  trace_lock(addressOf(sem, rw_semaphore.dep_map));
}

/** Takes it for write. May sleep. @inline */
export function down_write(sem: Ptr<'rw_semaphore'>): void {
  down_write_nested(sem, 0);
}

/** Takes it for write if it is free; tells whether it did. @inline */
export function down_write_trylock(sem: Ptr<'rw_semaphore'>): boolean {
  point(POINT_TRYLOCK, sem);
  if (!tryCas(sem, rw_semaphore.count, 0, RWSEM_WRITER_LOCKED)) return false;
  lock_acquire(addressOf(sem, rw_semaphore.dep_map), 0, 1, 0, 1, NULL);
  set(sem, rw_semaphore.owner, current());
  trace_lock(addressOf(sem, rw_semaphore.dep_map));
  return true;
}

/** Gives the write hold up. @inline */
export function up_write(sem: Ptr<'rw_semaphore'>): void {
  point(POINT_UNLOCK, sem);
  trace_unlock(addressOf(sem, rw_semaphore.dep_map));
  lock_release(addressOf(sem, rw_semaphore.dep_map));
  set(sem, rw_semaphore.owner, NULL);
  if ((andWord(sem, rw_semaphore.count, ~RWSEM_WRITER_LOCKED) & RWSEM_FLAG_WAITERS) !== 0) rwsem_wake(sem);
}

/** True while anybody holds it; a racy look. */
export function rwsem_is_locked(sem: Ptr<'rw_semaphore'>): boolean {
  const count = loadWord(sem, rw_semaphore.count);
  return (count & RWSEM_WRITER_LOCKED) !== 0 || count >= RWSEM_READER_BIAS;
}
