/** What our own cases call: of the kernel as it is, or of its stepped form. */
import * as task from '../../../src/kernel/include/task_struct.ts';
import * as irq from '../../../src/kernel/irq.ts';
import * as asserts from '../../../src/kernel/locking/lockdep/asserts.ts';
import * as held from '../../../src/kernel/locking/lockdep/held.ts';
import * as internals from '../../../src/kernel/locking/lockdep/internals.ts';
import * as lockdep from '../../../src/kernel/locking/lockdep/lockdep.ts';
import * as names from '../../../src/kernel/locking/lockdep/names.ts';
import * as pin from '../../../src/kernel/locking/lockdep/pin.ts';
import * as rcu from '../../../src/kernel/locking/lockdep/rcu-maps.ts';
import * as types from '../../../src/kernel/locking/lockdep/types.ts';
import * as softirq from '../../../src/kernel/softirq.ts';
import { get } from '../../../src/machine/door.ts';
import type { Ptr } from '../../../src/machine/layout.ts';
import { sbrk } from '../../../src/machine/memory.ts';

/** What the validator knows a lock by. */
export type LockMap = Ptr<'lockdep_map'>;

/** Of the kernel as it is. */
export const plainKernel = {
  ...task,
  ...irq,
  ...asserts,
  ...held,
  ...internals,
  ...lockdep,
  ...names,
  ...pin,
  ...rcu,
  ...types,
  ...softirq,
  get,
  sbrk,
};
export type CaseKernel = typeof plainKernel;
/** The modules of the kernel that it comes from. */
export const CASE_MODULES = [
  'include/task_struct',
  'irq',
  'locking/lockdep/asserts',
  'locking/lockdep/held',
  'locking/lockdep/internals',
  'locking/lockdep/lockdep',
  'locking/lockdep/names',
  'locking/lockdep/pin',
  'locking/lockdep/rcu-maps',
  'locking/lockdep/types',
  'softirq',
] as const;

/** A lock of a class of its own. */
export function newLock(name: string, inner: number = types.LD_WAIT_CONFIG, type: number = types.LD_LOCK_NORMAL): LockMap {
  return lockMakers(plainKernel).newLock(name, inner, type);
}

/** Makes locks without a lock around: only what the validator sees. */
export function lockMakers(kernel: CaseKernel) {
  const { sbrk, lock_class_key, lockdep_map, lockdep_init_map, LD_WAIT_CONFIG, LD_WAIT_INV, LD_LOCK_NORMAL } = kernel;
  /** A lock of the class of `key`. */
  const lockOfClass = (
    name: string,
    key: Ptr<'lock_class_key'>,
    inner: number = LD_WAIT_CONFIG,
    type: number = LD_LOCK_NORMAL,
  ): LockMap => {
    const map = sbrk(lockdep_map.SIZE, 8, 'a map') as LockMap;
    lockdep_init_map(map, name, key, 0, inner, LD_WAIT_INV, 0, type);
    return map;
  };
  const newLock = (name: string, inner: number = LD_WAIT_CONFIG, type: number = LD_LOCK_NORMAL): LockMap =>
    lockOfClass(name, sbrk(lock_class_key.SIZE, 8, 'a key') as Ptr<'lock_class_key'>, inner, type);
  return { lockOfClass, newLock };
}
