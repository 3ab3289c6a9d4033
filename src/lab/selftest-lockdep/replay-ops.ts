/**
 * Replays a vector by its `ops`: through the emulated locks themselves, which make the validator's events on their own.
 * One task plays all of it, as in the kernel's suite, so no call may have to wait.
 */
import { irq_enter, irq_enter_threaded, irq_exit, local_irq_disable, local_irq_enable } from '../../kernel/irq.ts';
import { local_lock, local_lock_init, local_lock_t, local_unlock } from '../../kernel/locking/local_lock.ts';
import { lock_acquire, lock_release } from '../../kernel/locking/lockdep/lockdep.ts';
import { rcu_bh_lock_map, rcu_lock_map, rcu_sched_lock_map } from '../../kernel/locking/lockdep/rcu-maps.ts';
import { lock_class_key } from '../../kernel/locking/lockdep/types.ts';
import { mutex, mutex_init, mutex_lock, mutex_lock_nest_lock, mutex_trylock, mutex_unlock } from '../../kernel/locking/mutex.ts';
import { raw_spin_lock, raw_spin_lock_init, raw_spin_trylock, raw_spin_unlock, raw_spinlock_t } from '../../kernel/locking/raw_spinlock.ts';
import { rt_mutex, rt_mutex_init, rt_mutex_lock, rt_mutex_trylock, rt_mutex_unlock } from '../../kernel/locking/rtmutex.ts';
import {
  read_lock,
  read_trylock,
  read_unlock,
  rwlock_init,
  rwlock_t,
  set_force_read_lock_recursive,
  write_lock,
  write_trylock,
  write_unlock,
} from '../../kernel/locking/rwlock.ts';
import {
  down_read,
  down_read_trylock,
  down_write,
  down_write_trylock,
  init_rwsem,
  rw_semaphore,
  up_read,
  up_write,
} from '../../kernel/locking/rwsem.ts';
import { spin_lock, spin_lock_init, spin_lock_nest_lock, spin_trylock, spin_unlock, spinlock_t } from '../../kernel/locking/spinlock.ts';
import {
  EALREADY,
  EDEADLK,
  ww_acquire_ctx,
  ww_acquire_done,
  ww_acquire_fini,
  ww_acquire_init,
  ww_class,
  ww_mutex,
  ww_mutex_init,
  ww_mutex_lock,
  ww_mutex_lock_slow,
  ww_mutex_trylock,
  ww_mutex_unlock,
} from '../../kernel/locking/ww_mutex.ts';
import {
  fs_reclaim_acquire,
  fs_reclaim_release,
  GFP_KERNEL,
  GFP_NOFS,
  memalloc_nofs_restore,
  memalloc_nofs_save,
  might_alloc,
} from '../../kernel/mm/fs_reclaim.ts';
import { rcu_read_lock, rcu_read_unlock } from '../../kernel/rcu.ts';
import { rcu_read_lock_bh, rcu_read_lock_sched, rcu_read_unlock_bh, rcu_read_unlock_sched } from '../../kernel/rcupdate.ts';
import { local_bh_disable, local_bh_enable, softirq_enter, softirq_exit } from '../../kernel/softirq.ts';
import { EmulatorBug } from '../../machine/errors.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { i32, sbrk } from '../../machine/memory.ts';
import { classOf, type Vector, type VectorOp } from './vector.ts';

/** What stands at a lock's address, and where its map is. */
interface Kind {
  bytes: number;
  map: number;
}

const KINDS: Record<string, Kind> = {
  spin: { bytes: spinlock_t.SIZE, map: spinlock_t.dep_map },
  raw_spin: { bytes: raw_spinlock_t.SIZE, map: raw_spinlock_t.dep_map },
  rwlock: { bytes: rwlock_t.SIZE, map: rwlock_t.dep_map },
  mutex: { bytes: mutex.SIZE, map: mutex.dep_map },
  rwsem: { bytes: rw_semaphore.SIZE, map: rw_semaphore.dep_map },
  rtmutex: { bytes: rt_mutex.SIZE, map: rt_mutex.dep_map },
  local_lock: { bytes: local_lock_t.SIZE, map: local_lock_t.dep_map },
  ww: { bytes: ww_mutex.SIZE, map: ww_mutex.base + mutex.dep_map },
  ww_ctx: { bytes: ww_acquire_ctx.SIZE, map: ww_acquire_ctx.dep_map },
};

const STATIC_MAPS: Record<string, Ptr<'lockdep_map'>> = { rcu: rcu_lock_map, rcu_bh: rcu_bh_lock_map, rcu_sched: rcu_sched_lock_map };

/** The locks of one vector, in fresh memory with class keys of their own. */
class Locks {
  readonly #at = new Map<string, number>();
  readonly #keys = new Map<string, Ptr<'lock_class_key'>>();
  readonly #wwClass = sbrk(ww_class.SIZE, 8, 'a ww class') as Ptr<'ww_class'>;
  readonly #vector: Vector;

  constructor(vector: Vector) {
    this.#vector = vector;
  }

  kind(name: string): string {
    return this.#vector.locks[name]?.kind ?? (name.startsWith('ctx') ? 'ww_ctx' : 'ww');
  }

  init(name: string, className: string): void {
    let key = this.#keys.get(className);
    if (key === undefined) {
      key = sbrk(lock_class_key.SIZE, 8, 'a class key') as Ptr<'lock_class_key'>;
      this.#keys.set(className, key);
    }
    const kind = this.kind(name);
    const at = this.#at.get(name) ?? sbrk((KINDS[kind] as Kind).bytes, 64, `the lock ${name}`);
    this.#at.set(name, at);
    if (kind === 'spin') spin_lock_init(at as Ptr<'spinlock_t'>, className, key);
    else if (kind === 'raw_spin') raw_spin_lock_init(at as Ptr<'raw_spinlock_t'>, className, key);
    else if (kind === 'rwlock') rwlock_init(at as Ptr<'rwlock_t'>, className, key);
    else if (kind === 'mutex') mutex_init(at as Ptr<'mutex'>, className, key);
    else if (kind === 'rwsem') init_rwsem(at as Ptr<'rw_semaphore'>, className, key);
    else if (kind === 'rtmutex') rt_mutex_init(at as Ptr<'rt_mutex'>, className, key);
    else if (kind === 'local_lock') local_lock_init(at as Ptr<'local_lock_t'>, className, key);
    else if (kind === 'ww') ww_mutex_init(at as Ptr<'ww_mutex'>, this.#wwClass, className);
  }

  /** Address of a lock, which is initialised when it is new. */
  at<S extends string>(name: string): Ptr<S> {
    if (!this.#at.has(name)) this.init(name, classOf(this.#vector, name));
    return this.#at.get(name) as Ptr<S>;
  }

  map(name: string): Ptr<'lockdep_map'> {
    return STATIC_MAPS[name] ?? ((this.at<'lock'>(name) + (KINDS[this.kind(name)] as Kind).map) as unknown as Ptr<'lockdep_map'>);
  }

  openContext(name: string): void {
    ww_acquire_init(this.at<'ww_acquire_ctx'>(name), this.#wwClass, 'ww_acquire');
  }

  nameOf(address: number): string | undefined {
    for (const name of Object.keys(STATIC_MAPS)) if (STATIC_MAPS[name] === address) return name;
    for (const name of this.#at.keys()) if (this.map(name) === address) return name;
    return undefined;
  }
}

/** Says that a call gave something else than the vector says. */
export class WrongResult extends Error {
  override name = 'WrongResult';
}

function expectResult(op: VectorOp, got: number | boolean): void {
  const named = got === -EALREADY ? 'EALREADY' : got === -EDEADLK ? 'EDEADLK' : Number(got);
  if (op.returns !== undefined && op.returns !== named) throw new WrongResult(`${op.op} ${op.lock} gave ${named}, not ${op.returns}`);
}

function lock(locks: Locks, op: VectorOp, name: string): void {
  const kind = op.as === 'mutex' ? 'mutex' : locks.kind(name);
  const at = op.as === 'mutex' ? locks.map(name) - mutex.dep_map : STATIC_MAPS[name] === undefined ? locks.at<'lock'>(name) : 0;
  const nest = op.nest === undefined ? NULL : locks.map(op.nest);
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

function unlock(locks: Locks, op: VectorOp, name: string): void {
  const kind = op.as === 'mutex' ? 'mutex' : locks.kind(name);
  const at = op.as === 'mutex' ? locks.map(name) - mutex.dep_map : STATIC_MAPS[name] === undefined ? locks.at<'lock'>(name) : 0;
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

function tryLock(locks: Locks, op: VectorOp, name: string): boolean {
  const kind = op.as === 'mutex' ? 'mutex' : locks.kind(name);
  if (kind === 'mutex') return mutex_trylock((locks.map(name) - mutex.dep_map) as Ptr<'mutex'>);
  if (kind === 'spin') return spin_trylock(locks.at<'spinlock_t'>(name));
  if (kind === 'raw_spin') return raw_spin_trylock(locks.at<'raw_spinlock_t'>(name));
  if (kind === 'rwlock') return op.read ? read_trylock(locks.at<'rwlock_t'>(name)) : write_trylock(locks.at<'rwlock_t'>(name));
  if (kind === 'rwsem')
    return op.read ? down_read_trylock(locks.at<'rw_semaphore'>(name)) : down_write_trylock(locks.at<'rw_semaphore'>(name));
  if (kind === 'rtmutex') return rt_mutex_trylock(locks.at<'rt_mutex'>(name));
  throw new EmulatorBug(`cannot try a ${kind}`);
}

/** Writes a field behind the back of the lock, as the suite does. */
function poke(locks: Locks, op: VectorOp): void {
  const at = locks.at<'target'>(op.target ?? '');
  const isContext = locks.kind(op.target ?? '') === 'ww_ctx';
  const field = {
    ctx: ww_mutex.ctx,
    stamp: ww_acquire_ctx.stamp,
    acquired: ww_acquire_ctx.acquired,
    class: isContext ? ww_acquire_ctx.ww_class : ww_mutex.ww_class,
  }[op.field as 'ctx' | 'stamp' | 'acquired' | 'class'];
  const word = (at + field) >> 2;
  if (op.add !== undefined) i32[word] = (i32[word] as number) + op.add;
  else if (op.value === 'bogus') i32[word] = -1;
  else if (typeof op.value === 'string') i32[word] = locks.at<'ww_acquire_ctx'>(op.value);
  else i32[word] = op.value ?? 0;
}

function wwOp(locks: Locks, op: VectorOp): void {
  const at = locks.at<'ww_mutex'>(op.lock ?? '');
  const ctx = op.ctx ? locks.at<'ww_acquire_ctx'>(op.ctx) : NULL;
  if (op.op === 'ww_unlock') ww_mutex_unlock(at);
  else if (op.op === 'ww_trylock') expectResult(op, ww_mutex_trylock(at, ctx));
  else if (op.slow === true) ww_mutex_lock_slow(at, ctx);
  else expectResult(op, ww_mutex_lock(at, ctx));
}

function copyContext(locks: Locks, op: VectorOp): void {
  const from = locks.at<'ww_acquire_ctx'>(op.from ?? '') >> 2;
  const to = locks.at<'ww_acquire_ctx'>(op.to ?? '') >> 2;
  i32.copyWithin(to, from, from + (ww_acquire_ctx.SIZE >> 2));
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

function replayOp(locks: Locks, op: VectorOp): void {
  const name = op.lock ?? '';
  const plain = PLAIN[op.op];
  const gfp = op.gfp === undefined || /kernel/i.test(op.gfp) ? GFP_KERNEL : GFP_NOFS;
  if (plain !== undefined) plain();
  else if (op.op === 'lock') lock(locks, op, name);
  else if (op.op === 'unlock') unlock(locks, op, name);
  else if (op.op === 'trylock') expectResult(op, tryLock(locks, op, name));
  else if (op.op === 'init') locks.init(name, op.class ?? name);
  else if (op.op === 'map_release') lock_release(locks.map(name));
  else if (op.op === 'map_acquire') lock_acquire(locks.map(name), 0, op.try ?? 0, op.read ?? 0, 1, NULL);
  else if (op.op === 'ww_lock' || op.op === 'ww_trylock' || op.op === 'ww_unlock') wwOp(locks, op);
  else if (op.op === 'ww_ctx_init') locks.openContext(op.ctx ?? '');
  else if (op.op === 'ww_ctx_done') ww_acquire_done(locks.at(op.ctx ?? ''));
  else if (op.op === 'ww_ctx_fini') ww_acquire_fini(locks.at(op.ctx ?? ''));
  else if (op.op === 'poke') poke(locks, op);
  else if (op.op === 'ctx_copy') copyContext(locks, op);
  else if (op.op === 'fs_reclaim_acquire') fs_reclaim_acquire(gfp);
  else if (op.op === 'fs_reclaim_release') fs_reclaim_release(gfp);
  else if (op.op === 'might_alloc') might_alloc(gfp);
  else throw new EmulatorBug(`unknown operation ${op.op}`);
}

/**
 * Replays all calls of a vector.
 * @param after  called after each call, with its index
 * @returns names of locks by the address of their map, for reading reports
 * @throws WrongResult
 */
export function replayOps(vector: Vector, after: (index: number) => void): (address: number) => string | undefined {
  // The suite forces recursive reads in all sections before its tests of queued read locks.
  set_force_read_lock_recursive(vector.section === 'queued read lock' ? 0 : 1);
  const locks = new Locks(vector);
  try {
    for (let i = 0; i < vector.ops.length; i++) {
      replayOp(locks, vector.ops[i] as VectorOp);
      after(i);
    }
  } finally {
    set_force_read_lock_recursive(0);
  }
  return (address) => locks.nameOf(address);
}
