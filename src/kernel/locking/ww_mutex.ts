/**
 * `struct ww_mutex` (kernel/locking/ww_mutex.h, Linux 6.1): mutexes that a task may take many of in any order, in a
 * context. Of two contexts that want each other's locks the younger gives way: wait-die.
 *
 * | the lock is | held in an older context, and we hold others | else |
 * |---|---|---|
 * | held | -EDEADLK: drop all, take this one first with ww_mutex_lock_slow | wait |
 *
 * The assertions are those of CONFIG_DEBUG_MUTEXES. Left out: the wound-wait policy.
 * @notrace: a lock operation counts as its caller's.
 */
import { addressOf, get, set } from '../../machine/door.ts';
import { embed, NULL, type Ptr, pointer, struct, word } from '../../machine/layout.ts';
import { addWord, swapWord } from '../../machine/lockword.ts';
import { staticStorage } from '../../machine/memory.ts';
import { POINT_TRYLOCK, POINT_UNLOCK, point } from '../../machine/points.ts';
import { awaitChange } from '../../machine/wait.ts';
import { current } from '../include/task_struct.ts';
import { trace_lock, trace_unlock } from '../trace/trace-lock.ts';
import { OBJ_LOCK } from '../trace/vocabulary.ts';
import { debug_locks_warn, lockdep_assert_held } from './lockdep/asserts.ts';
import { lock_acquire, lock_release, lockdep_init_map } from './lockdep/lockdep.ts';
import { LD_WAIT_INV, LD_WAIT_SLEEP, lock_class_key, lockdep_map } from './lockdep/types.ts';
import { might_sleep } from './might_sleep.ts';
import { mutex } from './mutex.ts';
import { releaseWord, tryWord } from './word-lock.ts';

export const EDEADLK = 35;
export const EALREADY = 114;

/** A class of ww mutexes and of the contexts that go with them. */
export const ww_class = struct('ww_class', {
  /** Counts contexts: their age. Atomic. */
  stamp: word,
  acquire_key: embed(lock_class_key),
  mutex_key: embed(lock_class_key),
});

export const ww_acquire_ctx = struct('ww_acquire_ctx', {
  // Private to the task, but others that wait for its locks read the stamp.
  task: pointer('task_struct'),
  /** Age: the smaller, the older. */
  stamp: word,
  /** Locks held in it. */
  acquired: word,
  /** No more locks will be taken. */
  done_acquire: word,
  ww_class: pointer('ww_class'),
  /** The lock that it backed off from; it must be the next one taken. */
  contending_lock: pointer('ww_mutex'),
  dep_map: embed(lockdep_map),
});

export const ww_mutex = struct('ww_mutex', {
  base: embed(mutex),
  /** Context of the holder. Written by the holder, read by waiters. */
  ctx: pointer('ww_acquire_ctx'),
  ww_class: pointer('ww_class'),
});

/** A class, by name; the same in every thread. */
export function DEFINE_WW_CLASS(name: string): Ptr<'ww_class'> {
  return staticStorage(name, ww_class.SIZE).address as Ptr<'ww_class'>;
}

export function ww_mutex_init(lock: Ptr<'ww_mutex'>, wwClass: Ptr<'ww_class'>, name: string, object: number = OBJ_LOCK): void {
  const base = addressOf(lock, ww_mutex.base);
  set(base, mutex.lock, 0);
  set(base, mutex.owner, NULL);
  set(lock, ww_mutex.ctx, NULL);
  set(lock, ww_mutex.ww_class, wwClass);
  lockdep_init_map(addressOf(base, mutex.dep_map), name, addressOf(wwClass, ww_class.mutex_key), 0, LD_WAIT_SLEEP, LD_WAIT_INV, object);
}

/** Opens a context of the current task. */
export function ww_acquire_init(ctx: Ptr<'ww_acquire_ctx'>, wwClass: Ptr<'ww_class'>, name: string): void {
  set(ctx, ww_acquire_ctx.task, current());
  set(ctx, ww_acquire_ctx.stamp, addWord(wwClass, ww_class.stamp, 1));
  set(ctx, ww_acquire_ctx.acquired, 0);
  set(ctx, ww_acquire_ctx.done_acquire, 0);
  set(ctx, ww_acquire_ctx.ww_class, wwClass);
  set(ctx, ww_acquire_ctx.contending_lock, NULL);
  const map = addressOf(ctx, ww_acquire_ctx.dep_map);
  lockdep_init_map(map, name, addressOf(wwClass, ww_class.acquire_key), 0, LD_WAIT_INV, LD_WAIT_INV, OBJ_LOCK);
  lock_acquire(map, 0, 0, 0, 1, NULL);
}

/** Says that the context takes no more locks. */
export function ww_acquire_done(ctx: Ptr<'ww_acquire_ctx'>): void {
  lockdep_assert_held(addressOf(ctx, ww_acquire_ctx.dep_map));
  if (get(ctx, ww_acquire_ctx.done_acquire) !== 0) debug_locks_warn('ctx->done_acquire');
  set(ctx, ww_acquire_ctx.done_acquire, 1);
}

/** Closes a context; it must hold no lock any more. */
export function ww_acquire_fini(ctx: Ptr<'ww_acquire_ctx'>): void {
  lock_release(addressOf(ctx, ww_acquire_ctx.dep_map));
  if (get(ctx, ww_acquire_ctx.acquired) !== 0) debug_locks_warn('ctx->acquired');
}

/** The assertions on a lock that a context has just got. */
function ww_mutex_lock_acquired(lock: Ptr<'ww_mutex'>, ctx: Ptr<'ww_acquire_ctx'>): void {
  if (get(lock, ww_mutex.ctx) !== NULL) debug_locks_warn('ww->ctx');
  if (get(ctx, ww_acquire_ctx.done_acquire) !== 0) debug_locks_warn('ww_ctx->done_acquire');
  const contending = get(ctx, ww_acquire_ctx.contending_lock);
  if (contending !== NULL) {
    if (contending !== lock) debug_locks_warn('ww_ctx->contending_lock != ww');
    if (get(ctx, ww_acquire_ctx.acquired) > 0) debug_locks_warn('ww_ctx->acquired > 0');
    set(ctx, ww_acquire_ctx.contending_lock, NULL);
  }
  if (get(ctx, ww_acquire_ctx.ww_class) !== get(lock, ww_mutex.ww_class)) debug_locks_warn('ww_ctx->ww_class != ww->ww_class');
  set(ctx, ww_acquire_ctx.acquired, get(ctx, ww_acquire_ctx.acquired) + 1);
}

/** Must a context that wants a held lock give way: it holds others, and the holder is older? */
function mustDie(lock: Ptr<'ww_mutex'>, ctx: Ptr<'ww_acquire_ctx'>): boolean {
  const holder = get(lock, ww_mutex.ctx);
  return holder !== NULL && get(ctx, ww_acquire_ctx.acquired) > 0 && get(holder, ww_acquire_ctx.stamp) < get(ctx, ww_acquire_ctx.stamp);
}

/** Takes the lock if it is free. After a wait it is marked as one that perhaps somebody waits for. */
function tryOrMark(lock: Ptr<'ww_mutex'>, waited: boolean): boolean {
  point(POINT_TRYLOCK, lock);
  const base = addressOf(lock, ww_mutex.base);
  return (!waited && tryWord(base, mutex.lock)) || swapWord(base, mutex.lock, 2) === 0;
}

/**
 * Takes the lock in a context, or without one (NULL). May sleep. Whether it can go on is not for the lock's word to say, as it may
 * have to give way, so it tries and waits by itself.
 * @returns 0, -EALREADY when this context holds it, -EDEADLK when the context must give way
 */
export function ww_mutex_lock(lock: Ptr<'ww_mutex'>, ctx: Ptr<'ww_acquire_ctx'>): number {
  const base = addressOf(lock, ww_mutex.base);
  const map = addressOf(base, mutex.dep_map);
  might_sleep();
  if (ctx !== NULL && get(lock, ww_mutex.ctx) === ctx) return -EALREADY;
  lock_acquire(map, 0, 0, 0, 1, ctx === NULL ? NULL : addressOf(ctx, ww_acquire_ctx.dep_map));
  for (let waited = false; !tryOrMark(lock, waited); waited = true) {
    if (ctx !== NULL && mustDie(lock, ctx)) {
      if (get(ctx, ww_acquire_ctx.contending_lock) !== NULL) debug_locks_warn('ww_ctx->contending_lock');
      set(ctx, ww_acquire_ctx.contending_lock, lock);
      lock_release(map);
      return -EDEADLK;
    }
    awaitChange(base, mutex.lock, 2);
  }
  set(base, mutex.owner, current());
  if (ctx !== NULL) {
    ww_mutex_lock_acquired(lock, ctx);
    set(lock, ww_mutex.ctx, ctx);
  }
  trace_lock(map);
  return 0;
}

/** Takes the lock that the context backed off from, waiting as long as it takes. The context holds no other. */
export function ww_mutex_lock_slow(lock: Ptr<'ww_mutex'>, ctx: Ptr<'ww_acquire_ctx'>): void {
  if (get(ctx, ww_acquire_ctx.contending_lock) === NULL) debug_locks_warn('!ctx->contending_lock');
  ww_mutex_lock(lock, ctx);
}

/** Takes the lock if it is free; tells whether it did. */
export function ww_mutex_trylock(lock: Ptr<'ww_mutex'>, ctx: Ptr<'ww_acquire_ctx'>): boolean {
  point(POINT_TRYLOCK, lock);
  const base = addressOf(lock, ww_mutex.base);
  const map = addressOf(base, mutex.dep_map);
  if (!tryWord(base, mutex.lock)) return false;
  lock_acquire(map, 0, 1, 0, 1, ctx === NULL ? NULL : addressOf(ctx, ww_acquire_ctx.dep_map));
  set(base, mutex.owner, current());
  if (ctx !== NULL) {
    ww_mutex_lock_acquired(lock, ctx);
    set(lock, ww_mutex.ctx, ctx);
  }
  trace_lock(map);
  return true;
}

/** Gives the lock up; the holder only. */
export function ww_mutex_unlock(lock: Ptr<'ww_mutex'>): void {
  point(POINT_UNLOCK, lock);
  const base = addressOf(lock, ww_mutex.base);
  const ctx = get(lock, ww_mutex.ctx);
  if (ctx !== NULL) {
    if (get(ctx, ww_acquire_ctx.acquired) === 0) debug_locks_warn('!ww->ctx->acquired');
    else set(ctx, ww_acquire_ctx.acquired, get(ctx, ww_acquire_ctx.acquired) - 1);
    set(lock, ww_mutex.ctx, NULL);
  }
  trace_unlock(addressOf(base, mutex.dep_map));
  lock_release(addressOf(base, mutex.dep_map));
  set(base, mutex.owner, NULL);
  releaseWord(base, mutex.lock);
}
