/**
 * Plain accesses that no checker looks at, in any mode: for the memory of the checkers themselves (the lock validator, the
 * preemption count, the ledger), which is static storage or a task's area, and where every lock operation would pay for dozens of
 * looks. Linux builds lockdep without KASAN for the same reason. The locks' own words are looked at (lockword.ts). @notrace
 */
import type { Field, PointerTo, Ptr, Word } from './layout.ts';
import { i32 as arenaWords } from './memory.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** Plain read of a word or pointer field. */
export function get<S extends string, T extends string>(p: Ptr<S>, f: Field<S, PointerTo<T>>): Ptr<T>;
export function get<S extends string>(p: Ptr<S>, f: Field<S, Word>): number;
export function get(p: number, f: number): number {
  return i32[(p + f) >> 2] as number;
}

/** Plain write of a word or pointer field. */
export function set<S extends string, T extends string>(p: Ptr<S>, f: Field<S, PointerTo<T>>, v: Ptr<T>): void;
export function set<S extends string>(p: Ptr<S>, f: Field<S, Word>, v: number): void;
export function set(p: number, f: number, v: number): void {
  i32[(p + f) >> 2] = v;
}
