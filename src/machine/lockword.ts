/**
 * Atomics for the inside of lock implementations: no scheduling point of their own, because the lock operation
 * was announced as one (POINT_LOCK, POINT_RLOCK, POINT_UNLOCK) before it began.
 */
import { checkAccess, HEAP_CHECK as HEAP_CHECKED } from './heap-check.ts';
import type { Field, Ptr, Word } from './layout.ts';
import { i32 as arenaWords } from './memory.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;
const HEAP_CHECK = HEAP_CHECKED;

/** Compare and exchange; tells whether it was done. */
export function tryCas<S extends string>(p: Ptr<S>, f: Field<S, Word>, expected: number, v: number): boolean {
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  return Atomics.compareExchange(i32, (p + f) >> 2, expected, v) === expected;
}

/** Compare and exchange; gives the value found. */
export function casWord<S extends string>(p: Ptr<S>, f: Field<S, Word>, expected: number, v: number): number {
  return Atomics.compareExchange(i32, (p + f) >> 2, expected, v);
}

/** A plain read, an eighth of the price of {@link loadWord}: for a guess that a compare and exchange then checks. */
export function guessWord<S extends string>(p: Ptr<S>, f: Field<S, Word>): number {
  return i32[(p + f) >> 2] as number;
}

export function loadWord<S extends string>(p: Ptr<S>, f: Field<S, Word>): number {
  if (HEAP_CHECK) checkAccess(p, p + f, false);
  return Atomics.load(i32, (p + f) >> 2);
}

export function storeWord<S extends string>(p: Ptr<S>, f: Field<S, Word>, v: number): void {
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  Atomics.store(i32, (p + f) >> 2, v);
}

/** Exchange; gives the value before. */
export function swapWord<S extends string>(p: Ptr<S>, f: Field<S, Word>, v: number): number {
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  return Atomics.exchange(i32, (p + f) >> 2, v);
}

/** Adds; gives the value after. */
export function addWord<S extends string>(p: Ptr<S>, f: Field<S, Word>, v: number): number {
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  return Atomics.add(i32, (p + f) >> 2, v) + v;
}

/** Sets bits; gives the value before. */
export function orWord<S extends string>(p: Ptr<S>, f: Field<S, Word>, bits: number): number {
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  return Atomics.or(i32, (p + f) >> 2, bits);
}

/** Keeps only `bits`; gives the value before. */
export function andWord<S extends string>(p: Ptr<S>, f: Field<S, Word>, bits: number): number {
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  return Atomics.and(i32, (p + f) >> 2, bits);
}
