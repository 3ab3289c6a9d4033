/**
 * `spinlock_t` (include/linux/spinlock.h, Linux 6.1). The states of the word are in word-lock.ts. It parks after a
 * bounded spin, because emulated CPUs are threads that the host may take away: more tasks than cores must work.
 * @notrace: a lock operation counts as its caller's.
 */
import { addressOf, set } from '../../machine/door.ts';
import { embed, NULL, type Ptr, struct, word } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { POINT_LOCK, POINT_TRYLOCK, POINT_UNLOCK, point } from '../../machine/points.ts';
import { local_irq_disable, local_irq_enable, local_irq_restore, local_irq_save } from '../irq.ts';
import { preempt_disable, preempt_enable } from '../preempt.ts';
import { local_bh_disable, local_bh_enable } from '../softirq.ts';
import { trace_lock, trace_unlock } from '../trace/trace-lock.ts';
import { OBJ_LOCK } from '../trace/vocabulary.ts';
import { lock_acquire, lock_release, lockdep_init_map } from './lockdep/lockdep.ts';
import { LD_WAIT_CONFIG, LD_WAIT_INV, lockdep_map, rememberStaticMap, staticKey } from './lockdep/types.ts';
import { acquireWordSlow, releaseWord, tryWord } from './word-lock.ts';

export const spinlock_t = struct('spinlock_t', { lock: word, dep_map: embed(lockdep_map) });

/** Initialises a lock of the class `key`. @param object  its OBJ_* number in traces */
export function spin_lock_init(lock: Ptr<'spinlock_t'>, name: string, key: Ptr<'lock_class_key'>, object: number = OBJ_LOCK): void {
  set(lock, spinlock_t.lock, 0);
  lockdep_init_map(addressOf(lock, spinlock_t.dep_map), name, key, 0, LD_WAIT_CONFIG, LD_WAIT_INV, object);
}

/** A static lock with a class of its own. */
export function DEFINE_SPINLOCK(name: string, object: number = OBJ_LOCK): Ptr<'spinlock_t'> {
  const { address, fresh } = staticStorage(name, spinlock_t.SIZE);
  const lock = address as Ptr<'spinlock_t'>;
  if (fresh) spin_lock_init(lock, name, staticKey(name), object);
  rememberStaticMap(addressOf(lock, spinlock_t.dep_map));
  return lock;
}

/** Takes the lock. Must not sleep while it is held. @inline */
export function spin_lock(lock: Ptr<'spinlock_t'>): void {
  point(POINT_LOCK, lock);
  preempt_disable();
  lock_acquire(addressOf(lock, spinlock_t.dep_map), 0, 0, 0, 1, NULL);
  if (!tryWord(lock, spinlock_t.lock)) acquireWordSlow(lock, spinlock_t.lock);
  trace_lock(addressOf(lock, spinlock_t.dep_map));
}

/** Takes the lock as subclass `subclass` of its class, for several of one class in a known order. */
export function spin_lock_nested(lock: Ptr<'spinlock_t'>, subclass: number): void {
  point(POINT_LOCK, lock);
  preempt_disable();
  lock_acquire(addressOf(lock, spinlock_t.dep_map), subclass, 0, 0, 1, NULL);
  if (!tryWord(lock, spinlock_t.lock)) acquireWordSlow(lock, spinlock_t.lock);
  trace_lock(addressOf(lock, spinlock_t.dep_map));
}

/** Takes the lock, one of several of its class that are taken under the held lock `nest` only. */
export function spin_lock_nest_lock(lock: Ptr<'spinlock_t'>, nest: Ptr<'lockdep_map'>): void {
  point(POINT_LOCK, lock);
  preempt_disable();
  lock_acquire(addressOf(lock, spinlock_t.dep_map), 0, 0, 0, 1, nest);
  if (!tryWord(lock, spinlock_t.lock)) acquireWordSlow(lock, spinlock_t.lock);
  trace_lock(addressOf(lock, spinlock_t.dep_map));
}

/** Takes the lock if that needs no waiting; tells whether it did. @inline */
export function spin_trylock(lock: Ptr<'spinlock_t'>): boolean {
  point(POINT_TRYLOCK, lock);
  if (!tryWord(lock, spinlock_t.lock)) return false;
  preempt_disable();
  lock_acquire(addressOf(lock, spinlock_t.dep_map), 0, 1, 0, 1, NULL);
  trace_lock(addressOf(lock, spinlock_t.dep_map));
  return true;
}

/** Gives the lock up. @inline */
export function spin_unlock(lock: Ptr<'spinlock_t'>): void {
  point(POINT_UNLOCK, lock);
  trace_unlock(addressOf(lock, spinlock_t.dep_map));
  lock_release(addressOf(lock, spinlock_t.dep_map));
  releaseWord(lock, spinlock_t.lock);
  preempt_enable();
}

/** {@link spin_lock} with hard interrupts off. */
export function spin_lock_irq(lock: Ptr<'spinlock_t'>): void {
  local_irq_disable();
  spin_lock(lock);
}

export function spin_unlock_irq(lock: Ptr<'spinlock_t'>): void {
  spin_unlock(lock);
  local_irq_enable();
}

/** {@link spin_lock} with hard interrupts off; gives what the unlock needs to put them back. */
export function spin_lock_irqsave(lock: Ptr<'spinlock_t'>): number {
  const flags = local_irq_save();
  spin_lock(lock);
  return flags;
}

export function spin_unlock_irqrestore(lock: Ptr<'spinlock_t'>, flags: number): void {
  spin_unlock(lock);
  local_irq_restore(flags);
}

/** {@link spin_lock} with soft interrupts off. */
export function spin_lock_bh(lock: Ptr<'spinlock_t'>): void {
  local_bh_disable();
  spin_lock(lock);
}

export function spin_unlock_bh(lock: Ptr<'spinlock_t'>): void {
  spin_unlock(lock);
  local_bh_enable();
}
