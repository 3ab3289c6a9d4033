import type { Ptr } from '../../machine/layout.ts';
import { sbrk } from '../../machine/memory.ts';
import { local_lock_init, local_lock_t } from '../locking/local_lock.ts';
import { rcu_bh_lock_map, rcu_lock_map, rcu_sched_lock_map } from '../locking/lockdep/rcu-maps.ts';
import { lock_class_key } from '../locking/lockdep/types.ts';
import { mutex, mutex_init } from '../locking/mutex.ts';
import { raw_spin_lock_init, raw_spinlock_t } from '../locking/raw_spinlock.ts';
import { rt_mutex, rt_mutex_init } from '../locking/rtmutex.ts';
import { rwlock_init, rwlock_t } from '../locking/rwlock.ts';
import { init_rwsem, rw_semaphore } from '../locking/rwsem.ts';
import { spin_lock_init, spinlock_t } from '../locking/spinlock.ts';
import { ww_acquire_ctx, ww_class, ww_mutex, ww_mutex_init } from '../locking/ww_mutex.ts';

/** A lock as a case describes it. */
export interface SelftestLock {
  class: string;
  kind: string;
  wait_outer: number;
  wait_inner: number;
  per_cpu?: boolean;
}

/** One call on a lock; the fields depend on `op`. */
export interface SelftestOp {
  op: string;
  lock?: string;
  class?: string;
  kind?: string;
  read?: number;
  nest?: string;
  as?: string;
  shared?: boolean;
  returns?: number | string;
  ctx?: string | null;
  slow?: boolean;
  target?: string;
  field?: string;
  value?: string | number | null;
  add?: number;
  from?: string;
  to?: string;
  gfp?: string;
  uses_map?: boolean;
  try?: number;
}

/** A case: locks by name, and the calls. */
export interface SelftestCase {
  section: string;
  locks: Record<string, SelftestLock>;
  ops: readonly SelftestOp[];
}

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

export const STATIC_MAPS: Record<string, Ptr<'lockdep_map'>> = {
  rcu: rcu_lock_map,
  rcu_bh: rcu_bh_lock_map,
  rcu_sched: rcu_sched_lock_map,
};

/** A case that is played: its locks, in memory and with class keys of their own. Private to the task. */
export interface Selftest {
  readonly of: SelftestCase;
  /** Addresses by name; they stay the same when the case is played again. */
  readonly at: Map<string, number>;
  readonly keys: Map<string, Ptr<'lock_class_key'>>;
  readonly wwClass: Ptr<'ww_class'>;
  /** Locks that have been initialised. */
  readonly ready: Set<string>;
  /** A call that gave something else than the case says; empty: none did. */
  wrong: string;
}

/** Names of locks in a call. */
const LOCK_FIELDS = ['lock', 'nest', 'ctx', 'target', 'from', 'to'] as const;

/** Everything of a case gets its place here, in lines of memory of its own, so that playing it takes none. */
export function newSelftest(of: SelftestCase): Selftest {
  const wwClass = sbrk(ww_class.SIZE, 64, 'a ww class') as Ptr<'ww_class'>;
  const test: Selftest = { of, at: new Map(), keys: new Map(), wwClass, ready: new Set(), wrong: '' };
  const names = new Set(Object.keys(of.locks));
  for (const op of of.ops) {
    for (const field of LOCK_FIELDS) if (op[field]) names.add(op[field]);
    if (op.class !== undefined) keyOf(test, op.class);
  }
  for (const name of names) {
    // What the kernel has one of (RCU, reclaim) is there already.
    if (KINDS[kindOf(test, name)] === undefined) continue;
    placeOf(test, name);
    keyOf(test, selftestClass(of, name));
  }
  sbrk(64, 64, 'the end of a case');
  return test;
}

/** Class of a lock; the suite names some locks that the case does not list. */
export function selftestClass(of: SelftestCase, lock: string): string {
  return of.locks[lock]?.class ?? (lock.startsWith('ctx') ? 'ww_acquire' : lock.startsWith('ww') ? 'ww_mutex' : lock);
}

/** Kind of a lock: a key of KINDS, or one of the static maps. */
export function kindOf(test: Selftest, name: string): string {
  return test.of.locks[name]?.kind ?? (name.startsWith('ctx') ? 'ww_ctx' : 'ww');
}

function keyOf(test: Selftest, className: string): Ptr<'lock_class_key'> {
  const known = test.keys.get(className);
  if (known !== undefined) return known;
  const key = sbrk(lock_class_key.SIZE, 64, 'a class key') as Ptr<'lock_class_key'>;
  test.keys.set(className, key);
  return key;
}

function placeOf(test: Selftest, name: string): number {
  const known = test.at.get(name);
  if (known !== undefined) return known;
  const at = sbrk((KINDS[kindOf(test, name)] as Kind).bytes, 64, `the lock ${name}`);
  test.at.set(name, at);
  return at;
}

/** Initialises a lock, again or for the first time. */
export function initLock(test: Selftest, name: string, className: string): void {
  const kind = kindOf(test, name);
  const key = keyOf(test, className);
  const at = placeOf(test, name);
  test.ready.add(name);
  if (kind === 'spin') spin_lock_init(at as Ptr<'spinlock_t'>, className, key);
  else if (kind === 'raw_spin') raw_spin_lock_init(at as Ptr<'raw_spinlock_t'>, className, key);
  else if (kind === 'rwlock') rwlock_init(at as Ptr<'rwlock_t'>, className, key);
  else if (kind === 'mutex') mutex_init(at as Ptr<'mutex'>, className, key);
  else if (kind === 'rwsem') init_rwsem(at as Ptr<'rw_semaphore'>, className, key);
  else if (kind === 'rtmutex') rt_mutex_init(at as Ptr<'rt_mutex'>, className, key);
  else if (kind === 'local_lock') local_lock_init(at as Ptr<'local_lock_t'>, className, key);
  else if (kind === 'ww') ww_mutex_init(at as Ptr<'ww_mutex'>, test.wwClass, className);
}

/** Address of a lock, which is initialised when it is new. */
export function lockAt<S extends string>(test: Selftest, name: string): Ptr<S> {
  if (!test.ready.has(name)) initLock(test, name, selftestClass(test.of, name));
  return placeOf(test, name) as Ptr<S>;
}

/** Map of a lock of the case, or of one that the kernel has one of. */
export function mapOf(test: Selftest, name: string): Ptr<'lockdep_map'> {
  return STATIC_MAPS[name] ?? ((lockAt<'lock'>(test, name) + (KINDS[kindOf(test, name)] as Kind).map) as unknown as Ptr<'lockdep_map'>);
}

/** Name of the lock whose map is at an address, for reading reports. */
export function selftestLockName(test: Selftest, address: number): string | undefined {
  for (const name of Object.keys(STATIC_MAPS)) if (STATIC_MAPS[name] === address) return name;
  for (const name of test.at.keys()) if (mapOf(test, name) === address) return name;
  return undefined;
}
