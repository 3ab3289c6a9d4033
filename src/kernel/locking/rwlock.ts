/**
 * `rwlock_t` (kernel/locking/qrwlock.c, Linux 6.1): many readers or one writer, without sleeping.
 *
 * `cnts`:
 *
 * | bits | meaning |
 * |---|---|
 * | 0 QW_LOCKED | a writer holds it |
 * | 1 QW_WAITING | a writer waits: readers in task context queue behind it, those in an interrupt do not |
 * | 2 QW_PARKED | somebody waits in the host's wait: who changes the word must notify |
 * | 8.. | number of readers, times QR_BIAS |
 *
 * Left out: the queue itself (its ticket order); among waiting writers whoever comes first wins.
 * @notrace: a lock operation counts as its caller's.
 */
import { addressOf, get, set } from '../../machine/door.ts';
import { embed, NULL, type Ptr, struct, word } from '../../machine/layout.ts';
import { addWord, andWord, loadWord, orWord, tryCas } from '../../machine/lockword.ts';
import { POINT_LOCK, POINT_RLOCK, POINT_RUNLOCK, POINT_TRYLOCK, POINT_UNLOCK, point } from '../../machine/points.ts';
import { awaitChange, spinBudget, wakeWord } from '../../machine/wait.ts';
import { current, task_struct } from '../include/task_struct.ts';
import { IRQ_IN_HARD, IRQ_IN_SOFT, IRQ_SOFT_OFF } from '../irqflags.ts';
import { preempt_disable, preempt_enable } from '../preempt.ts';
import { trace_lock, trace_rlock, trace_runlock, trace_unlock } from '../trace/trace-lock.ts';
import { OBJ_LOCK } from '../trace/vocabulary.ts';
import { lock_acquire, lock_release, lockdep_init_map } from './lockdep/lockdep.ts';
import { LD_WAIT_CONFIG, LD_WAIT_INV, lockdep_map } from './lockdep/types.ts';

export const QW_LOCKED = 1;
export const QW_WAITING = 2;
export const QW_PARKED = 4;
export const QR_BIAS = 256;

export const rwlock_t = struct('rwlock_t', { cnts: word, dep_map: embed(lockdep_map) });

/**
 * With 1, every read of the current task counts as recursive, whatever the context: as some tests of the validator want
 * it. One switch per task (Linux has one for all), so that several tasks can run such tests at a time.
 */
export function set_force_read_lock_recursive(on: number): void {
  set(current(), task_struct.force_read_lock_recursive, on);
}

/** Initialises a lock of the class `key`. @param object  its OBJ_* number in traces */
export function rwlock_init(lock: Ptr<'rwlock_t'>, name: string, key: Ptr<'lock_class_key'>, object: number = OBJ_LOCK): void {
  lockdep_init_map(addressOf(lock, rwlock_t.dep_map), name, key, 0, LD_WAIT_CONFIG, LD_WAIT_INV, object);
}

/** Interrupt context, or soft interrupts off: in_interrupt(). */
function inInterrupt(): boolean {
  return (get(current(), task_struct.irq_state) & (IRQ_IN_HARD | IRQ_IN_SOFT | IRQ_SOFT_OFF)) !== 0;
}

/** May a read wait behind a waiting writer (1), or does it get in beside any reader (2)? */
export function read_lock_is_recursive(): number {
  return get(current(), task_struct.force_read_lock_recursive) !== 0 || inInterrupt() ? 2 : 1;
}

/** Waits a while for the word to leave `seen`, then parks. */
function waitForChange(lock: Ptr<'rwlock_t'>, seen: number): void {
  for (let budget = spinBudget(); budget > 0; budget--) if (loadWord(lock, rwlock_t.cnts) !== seen) return;
  // Pairs with the test in wakeParked: either it sees the bit and notifies, or the word has changed and we do not sleep.
  if ((seen & QW_PARKED) === 0) tryCas(lock, rwlock_t.cnts, seen, seen | QW_PARKED);
  else awaitChange(lock, rwlock_t.cnts, seen);
}

/** Wakes all parked tasks, when the word that was found says that there may be some. */
function wakeParked(lock: Ptr<'rwlock_t'>, found: number): void {
  if ((found & QW_PARKED) === 0) return;
  andWord(lock, rwlock_t.cnts, ~QW_PARKED);
  wakeWord(lock, rwlock_t.cnts);
}

function readLockSlow(lock: Ptr<'rwlock_t'>, blocking: number): void {
  for (;;) {
    const seen = loadWord(lock, rwlock_t.cnts);
    if ((seen & blocking) !== 0) waitForChange(lock, seen);
    else if (tryCas(lock, rwlock_t.cnts, seen, seen + QR_BIAS)) return;
  }
}

function writeLockSlow(lock: Ptr<'rwlock_t'>): void {
  for (;;) {
    const seen = loadWord(lock, rwlock_t.cnts);
    if ((seen & QW_LOCKED) === 0 && seen < QR_BIAS) {
      if (tryCas(lock, rwlock_t.cnts, seen, (seen & QW_PARKED) | QW_LOCKED)) return;
    } else if ((seen & QW_WAITING) === 0) orWord(lock, rwlock_t.cnts, QW_WAITING);
    else waitForChange(lock, seen);
  }
}

/** Takes it for read. @inline */
export function read_lock(lock: Ptr<'rwlock_t'>): void {
  point(POINT_RLOCK, lock);
  preempt_disable();
  lock_acquire(addressOf(lock, rwlock_t.dep_map), 0, 0, read_lock_is_recursive(), 1, NULL);
  readLockSlow(lock, inInterrupt() ? QW_LOCKED : QW_LOCKED | QW_WAITING);
  trace_rlock(addressOf(lock, rwlock_t.dep_map));
}

/** Takes it for read if that needs no waiting; tells whether it did. @inline */
export function read_trylock(lock: Ptr<'rwlock_t'>): boolean {
  point(POINT_TRYLOCK, lock);
  for (let seen = loadWord(lock, rwlock_t.cnts); (seen & QW_LOCKED) === 0; seen = loadWord(lock, rwlock_t.cnts)) {
    if (!tryCas(lock, rwlock_t.cnts, seen, seen + QR_BIAS)) continue;
    preempt_disable();
    lock_acquire(addressOf(lock, rwlock_t.dep_map), 0, 1, read_lock_is_recursive(), 1, NULL);
    trace_rlock(addressOf(lock, rwlock_t.dep_map));
    return true;
  }
  return false;
}

/** Gives a read hold up. @inline */
export function read_unlock(lock: Ptr<'rwlock_t'>): void {
  point(POINT_RUNLOCK, lock);
  trace_runlock(addressOf(lock, rwlock_t.dep_map));
  lock_release(addressOf(lock, rwlock_t.dep_map));
  wakeParked(lock, addWord(lock, rwlock_t.cnts, -QR_BIAS));
  preempt_enable();
}

/** Takes it for write. @inline */
export function write_lock(lock: Ptr<'rwlock_t'>): void {
  point(POINT_LOCK, lock);
  preempt_disable();
  lock_acquire(addressOf(lock, rwlock_t.dep_map), 0, 0, 0, 1, NULL);
  if (!tryCas(lock, rwlock_t.cnts, 0, QW_LOCKED)) writeLockSlow(lock);
  trace_lock(addressOf(lock, rwlock_t.dep_map));
}

/** Takes it for write if it is free; tells whether it did. @inline */
export function write_trylock(lock: Ptr<'rwlock_t'>): boolean {
  point(POINT_TRYLOCK, lock);
  if (!tryCas(lock, rwlock_t.cnts, 0, QW_LOCKED)) return false;
  preempt_disable();
  lock_acquire(addressOf(lock, rwlock_t.dep_map), 0, 1, 0, 1, NULL);
  trace_lock(addressOf(lock, rwlock_t.dep_map));
  return true;
}

/** Gives the write hold up. @inline */
export function write_unlock(lock: Ptr<'rwlock_t'>): void {
  point(POINT_UNLOCK, lock);
  trace_unlock(addressOf(lock, rwlock_t.dep_map));
  lock_release(addressOf(lock, rwlock_t.dep_map));
  wakeParked(lock, andWord(lock, rwlock_t.cnts, ~QW_LOCKED));
  preempt_enable();
}
