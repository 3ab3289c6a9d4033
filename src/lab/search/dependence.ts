/**
 * Which operations do not commute: two on the same word or lock, unless both only read or both are a reader's lock
 * operations; and freeing an object with every access to it. Plain accesses between two scheduling points count as protected by locks; the race detector checks that.
 */
import {
  POINT_AWAIT,
  POINT_FREE,
  POINT_LOCK,
  POINT_RCU,
  POINT_READ,
  POINT_RLOCK,
  POINT_RUNLOCK,
  POINT_TRYLOCK,
  POINT_UNLOCK,
} from '../../machine/points.ts';
import { objectAt } from '../../machine/stepped/heap.ts';

const READ = 1;
const ACQUIRE = 2;
const RELEASE = 4;
const TRY = 8;

const TRAITS = new Uint8Array(16);
for (const kind of [POINT_READ, POINT_RCU, POINT_AWAIT, POINT_RLOCK, POINT_RUNLOCK]) TRAITS[kind] = READ;
for (const kind of [POINT_LOCK, POINT_RLOCK, POINT_TRYLOCK]) TRAITS[kind] = (TRAITS[kind] as number) | ACQUIRE;
for (const kind of [POINT_UNLOCK, POINT_RUNLOCK]) TRAITS[kind] = (TRAITS[kind] as number) | RELEASE;
TRAITS[POINT_TRYLOCK] = (TRAITS[POINT_TRYLOCK] as number) | TRY;

/** Leaves the object as it is, as far as another reader can tell. */
export function reads(kind: number): boolean {
  return ((TRAITS[kind] as number) & READ) !== 0;
}
/** Takes a lock, or tries to. */
export function acquires(kind: number): boolean {
  return ((TRAITS[kind] as number) & ACQUIRE) !== 0;
}
/** Gives a lock up. */
export function releases(kind: number): boolean {
  return ((TRAITS[kind] as number) & RELEASE) !== 0;
}
/** Is always possible, though it takes a lock. */
export function tries(kind: number): boolean {
  return ((TRAITS[kind] as number) & TRY) !== 0;
}

/** Does the order of the two matter? */
export function dependent(kindA: number, addressA: number, kindB: number, addressB: number): boolean {
  if (kindA === POINT_FREE) return objectAt(addressB) === addressA;
  if (kindB === POINT_FREE) return objectAt(addressA) === addressB;
  return addressA === addressB && !(reads(kindA) && reads(kindB));
}

/**
 * An object's lifetime as an address of its own, which every access to the object reads and freeing it writes.
 * @returns 0 for an address outside the heap
 */
export function lifetimeOf(address: number): number {
  const object = objectAt(address);
  return object === 0 ? 0 : object + 1;
}
