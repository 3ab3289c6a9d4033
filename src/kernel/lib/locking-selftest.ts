/**
 * Calls on locks from a list, through the locks themselves, which make the validator's events on their own: how the cases of
 * lib/locking-selftest.c (Linux 6.1) are played. One task plays all of a case on locks of its own, as in the kernel's
 * suite, so no call may have to wait. @notrace
 */

import { EmulatorBug } from '../../machine/errors.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { i32 } from '../../machine/memory.ts';
import { irq_enter, irq_enter_threaded, irq_exit, local_irq_disable, local_irq_enable } from '../irq.ts';
import { local_lock, local_unlock } from '../locking/local_lock.ts';
import { lock_acquire, lock_release } from '../locking/lockdep/lockdep.ts';
import { mutex, mutex_lock, mutex_lock_nest_lock, mutex_trylock, mutex_unlock } from '../locking/mutex.ts';
import { raw_spin_lock, raw_spin_trylock, raw_spin_unlock } from '../locking/raw_spinlock.ts';
import { rt_mutex_lock, rt_mutex_trylock, rt_mutex_unlock } from '../locking/rtmutex.ts';
import {
  read_lock,
  read_trylock,
  read_unlock,
  set_force_read_lock_recursive,
  write_lock,
  write_trylock,
  write_unlock,
} from '../locking/rwlock.ts';
import { down_read, down_read_trylock, down_write, down_write_trylock, up_read, up_write } from '../locking/rwsem.ts';
import { spin_lock, spin_lock_nest_lock, spin_trylock, spin_unlock } from '../locking/spinlock.ts';
import {
  EALREADY,
  EDEADLK,
  ww_acquire_ctx,
  ww_acquire_done,
  ww_acquire_fini,
  ww_acquire_init,
  ww_mutex,
  ww_mutex_lock,
  ww_mutex_lock_slow,
  ww_mutex_trylock,
  ww_mutex_unlock,
} from '../locking/ww_mutex.ts';
import {
  fs_reclaim_acquire,
  fs_reclaim_release,
  GFP_KERNEL,
  GFP_NOFS,
  memalloc_nofs_restore,
  memalloc_nofs_save,
  might_alloc,
} from '../mm/fs_reclaim.ts';
import { rcu_read_lock, rcu_read_unlock } from '../rcu.ts';
import { rcu_read_lock_bh, rcu_read_lock_sched, rcu_read_unlock_bh, rcu_read_unlock_sched } from '../rcupdate.ts';
import { local_bh_disable, local_bh_enable, softirq_enter, softirq_exit } from '../softirq.ts';

import { initLock, kindOf, lockAt, mapOf, type Selftest, type SelftestOp, STATIC_MAPS } from './locking-selftest-locks.ts';

function expectResult(test: Selftest, op: SelftestOp, got: number | boolean): void {
  const named = got === -EALREADY ? 'EALREADY' : got === -EDEADLK ? 'EDEADLK' : Number(got);
  if (op.returns !== undefined && op.returns !== named) test.wrong ||= `${op.op} ${op.lock} gave ${named}, not ${op.returns}`;
}

/** Where the lock of a call is: a mutex inside of another kind, a static one, or one of the case. */
function targetOf(test: Selftest, op: SelftestOp, name: string): number {
  if (op.as === 'mutex') return mapOf(test, name) - mutex.dep_map;
  return STATIC_MAPS[name] === undefined ? lockAt<'lock'>(test, name) : 0;
}

function takeLock(test: Selftest, op: SelftestOp, name: string): void {
  const kind = op.as === 'mutex' ? 'mutex' : kindOf(test, name);
  const at = targetOf(test, op, name);
  const nest = op.nest === undefined ? NULL : mapOf(test, op.nest);
  if (kind === 'spin' && nest !== NULL) spin_lock_nest_lock(at as Ptr<'spinlock_t'>, nest);
  else if (kind === 'spin') spin_lock(at as Ptr<'spinlock_t'>);
  else if (kind === 'raw_spin') raw_spin_lock(at as Ptr<'raw_spinlock_t'>);
  else if (kind === 'rwlock' && op.read) read_lock(at as Ptr<'rwlock_t'>);
  else if (kind === 'rwlock') write_lock(at as Ptr<'rwlock_t'>);
  else if (kind === 'mutex' && nest !== NULL) mutex_lock_nest_lock(at as Ptr<'mutex'>, nest);
  else if (kind === 'mutex') mutex_lock(at as Ptr<'mutex'>);
  else if (kind === 'rwsem' && op.read) down_read(at as Ptr<'rw_semaphore'>);
  else if (kind === 'rwsem') down_write(at as Ptr<'rw_semaphore'>);
  else if (kind === 'rtmutex') rt_mutex_lock(at as Ptr<'rt_mutex'>);
  else if (kind === 'local_lock') local_lock(at as Ptr<'local_lock_t'>);
  else if (kind === 'rcu') rcu_read_lock();
  else if (kind === 'rcu_bh') rcu_read_lock_bh();
  else if (kind === 'rcu_sched') rcu_read_lock_sched();
  else throw new EmulatorBug(`cannot lock a ${kind}`);
}

function releaseLock(test: Selftest, op: SelftestOp, name: string): void {
  const kind = op.as === 'mutex' ? 'mutex' : kindOf(test, name);
  const at = targetOf(test, op, name);
  if (kind === 'spin') spin_unlock(at as Ptr<'spinlock_t'>);
  else if (kind === 'raw_spin') raw_spin_unlock(at as Ptr<'raw_spinlock_t'>);
  else if (kind === 'rwlock' && op.shared === true) read_unlock(at as Ptr<'rwlock_t'>);
  else if (kind === 'rwlock') write_unlock(at as Ptr<'rwlock_t'>);
  else if (kind === 'mutex') mutex_unlock(at as Ptr<'mutex'>);
  else if (kind === 'rwsem' && op.shared === true) up_read(at as Ptr<'rw_semaphore'>);
  else if (kind === 'rwsem') up_write(at as Ptr<'rw_semaphore'>);
  else if (kind === 'rtmutex') rt_mutex_unlock(at as Ptr<'rt_mutex'>);
  else if (kind === 'local_lock') local_unlock(at as Ptr<'local_lock_t'>);
  else if (kind === 'rcu') rcu_read_unlock();
  else if (kind === 'rcu_bh') rcu_read_unlock_bh();
  else if (kind === 'rcu_sched') rcu_read_unlock_sched();
  else throw new EmulatorBug(`cannot unlock a ${kind}`);
}

function tryLock(test: Selftest, op: SelftestOp, name: string): boolean {
  const kind = op.as === 'mutex' ? 'mutex' : kindOf(test, name);
  if (kind === 'mutex') return mutex_trylock((mapOf(test, name) - mutex.dep_map) as Ptr<'mutex'>);
  if (kind === 'spin') return spin_trylock(lockAt<'spinlock_t'>(test, name));
  if (kind === 'raw_spin') return raw_spin_trylock(lockAt<'raw_spinlock_t'>(test, name));
  if (kind === 'rwlock') return op.read ? read_trylock(lockAt<'rwlock_t'>(test, name)) : write_trylock(lockAt<'rwlock_t'>(test, name));
  if (kind === 'rwsem')
    return op.read ? down_read_trylock(lockAt<'rw_semaphore'>(test, name)) : down_write_trylock(lockAt<'rw_semaphore'>(test, name));
  if (kind === 'rtmutex') return rt_mutex_trylock(lockAt<'rt_mutex'>(test, name));
  throw new EmulatorBug(`cannot try a ${kind}`);
}

/** Writes a field behind the back of the lock, as the suite does. */
function poke(test: Selftest, op: SelftestOp): void {
  const at = lockAt<'target'>(test, op.target ?? '');
  const isContext = kindOf(test, op.target ?? '') === 'ww_ctx';
  const field = {
    ctx: ww_mutex.ctx,
    stamp: ww_acquire_ctx.stamp,
    acquired: ww_acquire_ctx.acquired,
    class: isContext ? ww_acquire_ctx.ww_class : ww_mutex.ww_class,
  }[op.field as 'ctx' | 'stamp' | 'acquired' | 'class'];
  const word = (at + field) >> 2;
  if (op.add !== undefined) i32[word] = (i32[word] as number) + op.add;
  else if (op.value === 'bogus') i32[word] = -1;
  else if (typeof op.value === 'string') i32[word] = lockAt<'ww_acquire_ctx'>(test, op.value);
  else i32[word] = op.value ?? 0;
}

function wwOp(test: Selftest, op: SelftestOp): void {
  const at = lockAt<'ww_mutex'>(test, op.lock ?? '');
  const ctx = op.ctx ? lockAt<'ww_acquire_ctx'>(test, op.ctx) : NULL;
  if (op.op === 'ww_unlock') ww_mutex_unlock(at);
  else if (op.op === 'ww_trylock') expectResult(test, op, ww_mutex_trylock(at, ctx));
  else if (op.slow === true) ww_mutex_lock_slow(at, ctx);
  else expectResult(test, op, ww_mutex_lock(at, ctx));
}

function copyContext(test: Selftest, op: SelftestOp): void {
  const from = lockAt<'ww_acquire_ctx'>(test, op.from ?? '') >> 2;
  const to = lockAt<'ww_acquire_ctx'>(test, op.to ?? '') >> 2;
  for (let i = 0; i < ww_acquire_ctx.SIZE >> 2; i++) i32[to + i] = i32[from + i] as number;
}

/** Calls without a lock, by name. */
const PLAIN: Record<string, () => void> = {
  irq_disable: local_irq_disable,
  irq_enable: local_irq_enable,
  bh_disable: local_bh_disable,
  bh_enable: local_bh_enable,
  hardirq_enter: irq_enter,
  hardirq_threaded: irq_enter_threaded,
  hardirq_exit: irq_exit,
  softirq_enter,
  softirq_exit,
  nofs_save: memalloc_nofs_save,
  nofs_restore: memalloc_nofs_restore,
};

function playOp(test: Selftest, op: SelftestOp): void {
  const name = op.lock ?? '';
  const plain = PLAIN[op.op];
  const gfp = op.gfp === undefined || /kernel/i.test(op.gfp) ? GFP_KERNEL : GFP_NOFS;
  if (plain !== undefined) plain();
  else if (op.op === 'lock') takeLock(test, op, name);
  else if (op.op === 'unlock') releaseLock(test, op, name);
  else if (op.op === 'trylock') expectResult(test, op, tryLock(test, op, name));
  else if (op.op === 'init') initLock(test, name, op.class ?? name);
  else if (op.op === 'map_release') lock_release(mapOf(test, name));
  else if (op.op === 'map_acquire') lock_acquire(mapOf(test, name), 0, op.try ?? 0, op.read ?? 0, 1, NULL);
  else if (op.op === 'ww_lock' || op.op === 'ww_trylock' || op.op === 'ww_unlock') wwOp(test, op);
  else if (op.op === 'ww_ctx_init') ww_acquire_init(lockAt<'ww_acquire_ctx'>(test, op.ctx ?? ''), test.wwClass, 'ww_acquire');
  else if (op.op === 'ww_ctx_done') ww_acquire_done(lockAt(test, op.ctx ?? ''));
  else if (op.op === 'ww_ctx_fini') ww_acquire_fini(lockAt(test, op.ctx ?? ''));
  else if (op.op === 'poke') poke(test, op);
  else if (op.op === 'ctx_copy') copyContext(test, op);
  else if (op.op === 'fs_reclaim_acquire') fs_reclaim_acquire(gfp);
  else if (op.op === 'fs_reclaim_release') fs_reclaim_release(gfp);
  else if (op.op === 'might_alloc') might_alloc(gfp);
  else throw new EmulatorBug(`unknown operation ${op.op}`);
}

/** Before the calls of a case are played, again or for the first time. The current task holds nothing. */
export function beginSelftest(test: Selftest): void {
  test.ready.clear();
  test.wrong = '';
  // The suite forces recursive reads in all sections before its tests of queued read locks.
  set_force_read_lock_recursive(test.of.section === 'queued read lock' ? 0 : 1);
}

/** Plays call number `i`. What it gave that it should not is in {@link Selftest.wrong}: then no more of them may be played. */
export function playSelftest(test: Selftest, i: number): void {
  playOp(test, test.of.ops[i] as SelftestOp);
}

/** After the last call. */
export function endSelftest(): void {
  set_force_read_lock_recursive(0);
}
