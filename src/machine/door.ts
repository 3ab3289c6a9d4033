/**
 * The one door of kernel code to shared memory.
 *
 * Racy accesses (READ_ONCE, WRITE_ONCE, atomics, bits) are scheduling points, announced before the access, and
 * go through Atomics. Plain accesses (`get`, `set`) are for data that a lock protects or that nobody else can see yet:
 * the lock's own atomics order them. Names and meaning of the snake_case functions are Linux's.
 */
import {
  badAccess,
  checkAccess,
  checkedLoad,
  checkPoison,
  GRANULE_SHIFT,
  HEAP_CHECK as HEAP_CHECKED,
  REACH as HEAP_REACH,
  POISON,
  POISON_ULONG,
  shadowWords,
} from './heap-check.ts';
import type { Embedded, Field, PointerTo, Ptr, StructInfo, Ulong, Word } from './layout.ts';
import { f64 as arenaUlongs, i32 as arenaWords } from './memory.ts';
import { POINT_READ, POINT_RMW, POINT_WRITE, point } from './points.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const f64 = arenaUlongs;
const i32 = arenaWords;
const HEAP_CHECK = HEAP_CHECKED;
const GRANULE = GRANULE_SHIFT;
const REACH = HEAP_REACH;
const UNWRITTEN = POISON;
const UNWRITTEN_ULONG = POISON_ULONG;
const shadow = shadowWords;

/** Plain read of a word or pointer field. */
export function get<S extends string, T extends string>(p: Ptr<S>, f: Field<S, PointerTo<T>>): Ptr<T>;
export function get<S extends string>(p: Ptr<S>, f: Field<S, Word>): number;
export function get(p: number, f: number): number {
  if (HEAP_CHECK && p + (f - REACH) >= (shadow[p >> GRANULE] as number)) badAccess(p, p + f, false);
  const value = i32[(p + f) >> 2] as number;
  if (HEAP_CHECK && value === UNWRITTEN) checkPoison(p, p + f);
  return value;
}

/** A look at a word that others may change meanwhile, where any value will do: no scheduling point, no race. */
export function data_race<S extends string>(p: Ptr<S>, f: Field<S, Word>): number {
  return Atomics.load(i32, (p + f) >> 2);
}

/** Plain write of a word or pointer field. */
export function set<S extends string, T extends string>(p: Ptr<S>, f: Field<S, PointerTo<T>>, v: Ptr<T>): void;
export function set<S extends string>(p: Ptr<S>, f: Field<S, Word>, v: number): void;
export function set(p: number, f: number, v: number): void {
  if (HEAP_CHECK && p + (f - REACH) >= (shadow[p >> GRANULE] as number)) badAccess(p, p + f, true);
  i32[(p + f) >> 2] = v;
}

/** Plain read of an unsigned long. */
export function getUlong<S extends string>(p: Ptr<S>, f: Field<S, Ulong>): number {
  if (HEAP_CHECK && p + (f - REACH) >= (shadow[p >> GRANULE] as number)) badAccess(p, p + f, false);
  const value = f64[(p + f) >> 3] as number;
  if (HEAP_CHECK && value === UNWRITTEN_ULONG) checkPoison(p, p + f);
  return value;
}

/** Plain write of an unsigned long. */
export function setUlong<S extends string>(p: Ptr<S>, f: Field<S, Ulong>, v: number): void {
  if (HEAP_CHECK && p + (f - REACH) >= (shadow[p >> GRANULE] as number)) badAccess(p, p + f, true);
  f64[(p + f) >> 3] = v;
}

/** `&p->f`: the address of a struct inside another. */
export function addressOf<S extends string, T extends string>(p: Ptr<S>, f: Field<S, Embedded<T>>): Ptr<T> {
  return ((p as number) + f) as unknown as Ptr<T>;
}

/** `&p->f[i]`: element `i` of an array of structs inside another. */
export function elementOf<S extends string, T extends string>(
  p: Ptr<S>,
  f: Field<S, Embedded<T>>,
  inner: StructInfo<T>,
  i: number,
): Ptr<T> {
  return ((p as number) + f + i * inner.SIZE) as unknown as Ptr<T>;
}

/** `container_of`: the struct of which `inner` is the field `f`. */
export function containerOf<S extends string, T extends string>(inner: Ptr<T>, f: Field<S, Embedded<T>>): Ptr<S> {
  return ((inner as number) - f) as unknown as Ptr<S>;
}

export function READ_ONCE<S extends string, T extends string>(p: Ptr<S>, f: Field<S, PointerTo<T>>): Ptr<T>;
export function READ_ONCE<S extends string>(p: Ptr<S>, f: Field<S, Word>): number;
export function READ_ONCE(p: number, f: number): number {
  point(POINT_READ, p + f);
  return HEAP_CHECK ? checkedLoad(p, p + f) : Atomics.load(i32, (p + f) >> 2);
}

export function WRITE_ONCE<S extends string, T extends string>(p: Ptr<S>, f: Field<S, PointerTo<T>>, v: Ptr<T>): void;
export function WRITE_ONCE<S extends string>(p: Ptr<S>, f: Field<S, Word>, v: number): void;
export function WRITE_ONCE(p: number, f: number, v: number): void {
  point(POINT_WRITE, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  Atomics.store(i32, (p + f) >> 2, v);
}

export function atomic_read<S extends string>(p: Ptr<S>, f: Field<S, Word>): number {
  point(POINT_READ, p + f);
  return HEAP_CHECK ? checkedLoad(p, p + f) : Atomics.load(i32, (p + f) >> 2);
}

export function atomic_set<S extends string>(p: Ptr<S>, f: Field<S, Word>, v: number): void {
  point(POINT_WRITE, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  Atomics.store(i32, (p + f) >> 2, v);
}

/** Adds one; gives the value after. */
export function atomic_inc_return<S extends string>(p: Ptr<S>, f: Field<S, Word>): number {
  point(POINT_RMW, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  return Atomics.add(i32, (p + f) >> 2, 1) + 1;
}

/** Takes one away; gives the value after. */
export function atomic_dec_return<S extends string>(p: Ptr<S>, f: Field<S, Word>): number {
  point(POINT_RMW, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  return Atomics.sub(i32, (p + f) >> 2, 1) - 1;
}

/** Adds `v`; gives the value after. */
export function atomic_add_return<S extends string>(v: number, p: Ptr<S>, f: Field<S, Word>): number {
  point(POINT_RMW, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  return Atomics.add(i32, (p + f) >> 2, v) + v;
}

/** Adds one unless the value is 0; gives the value after, 0 when it was left alone. */
export function atomic_inc_not_zero<S extends string>(p: Ptr<S>, f: Field<S, Word>): number {
  point(POINT_RMW, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  for (let seen = Atomics.load(i32, (p + f) >> 2); ; ) {
    if (seen === 0) return 0;
    const was = Atomics.compareExchange(i32, (p + f) >> 2, seen, seen + 1);
    if (was === seen) return seen + 1;
    seen = was;
  }
}

/** Compare and exchange; gives the value found. */
export function cmpxchg<S extends string, T extends string>(p: Ptr<S>, f: Field<S, PointerTo<T>>, expected: Ptr<T>, v: Ptr<T>): Ptr<T>;
export function cmpxchg<S extends string>(p: Ptr<S>, f: Field<S, Word>, expected: number, v: number): number;
export function cmpxchg(p: number, f: number, expected: number, v: number): number {
  point(POINT_RMW, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  return Atomics.compareExchange(i32, (p + f) >> 2, expected, v);
}

/** Exchange; gives the value before. */
export function xchg<S extends string>(p: Ptr<S>, f: Field<S, Word>, v: number): number {
  point(POINT_RMW, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  return Atomics.exchange(i32, (p + f) >> 2, v);
}

export function set_bit<S extends string>(nr: number, p: Ptr<S>, f: Field<S, Word>): void {
  point(POINT_RMW, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  Atomics.or(i32, (p + f) >> 2, 1 << nr);
}

export function clear_bit<S extends string>(nr: number, p: Ptr<S>, f: Field<S, Word>): void {
  point(POINT_RMW, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  Atomics.and(i32, (p + f) >> 2, ~(1 << nr));
}

export function test_bit<S extends string>(nr: number, p: Ptr<S>, f: Field<S, Word>): boolean {
  point(POINT_READ, p + f);
  return ((HEAP_CHECK ? checkedLoad(p, p + f) : Atomics.load(i32, (p + f) >> 2)) & (1 << nr)) !== 0;
}

/** Clears a bit; tells whether it was set. */
export function test_and_clear_bit<S extends string>(nr: number, p: Ptr<S>, f: Field<S, Word>): boolean {
  point(POINT_RMW, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  return (Atomics.and(i32, (p + f) >> 2, ~(1 << nr)) & (1 << nr)) !== 0;
}

/** Sets a bit; tells whether it was set before. */
export function test_and_set_bit<S extends string>(nr: number, p: Ptr<S>, f: Field<S, Word>): boolean {
  point(POINT_RMW, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  return (Atomics.or(i32, (p + f) >> 2, 1 << nr) & (1 << nr)) !== 0;
}
