/**
 * RCU as far as lock checks need it: `rcu_dereference_check` and its report (kernel/rcu, Linux 6.1).
 */
import { bootOptions } from '../machine/boot.ts';
import { get } from '../machine/door.ts';
import type { Field, PointerTo, Ptr, Word } from '../machine/layout.ts';
import { i32 as arenaWords } from '../machine/memory.ts';
import { POINT_RCU, point } from '../machine/points.ts';
import { current, task_struct } from './include/task_struct.ts';
import { lockdep_rcu_suspicious } from './locking/lockdep/rcu-report.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

const LOCKDEP = bootOptions().lockdep !== 'off';

/** Is an RCU read section of this task open? @inline */
export function rcu_read_lock_held(): boolean {
  return get(current(), task_struct.rcu_read_lock_nesting) !== 0;
}

export function rcu_dereference_check<S extends string, T extends string>(p: Ptr<S>, f: Field<S, PointerTo<T>>, held: boolean): Ptr<T>;
export function rcu_dereference_check<S extends string>(p: Ptr<S>, f: Field<S, Word>, held: boolean): number;
/**
 * Reads an RCU-protected word; reports when neither `held` nor an RCU read section protects it, once per call
 * site and run. The load pairs with the store in rcu_assign_pointer. @inline
 */
export function rcu_dereference_check(p: number, f: number, held: boolean): number {
  point(POINT_RCU, p + f);
  const value = Atomics.load(i32, (p + f) >> 2);
  if (LOCKDEP && !held && !rcu_read_lock_held()) lockdep_rcu_suspicious('rcu_dereference_check');
  return value;
}
