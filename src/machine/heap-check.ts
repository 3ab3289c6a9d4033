/**
 * Heap checks of free runs (boot option heapCheck): every access through the door is looked at.
 *
 * The shadow is one word per granule of 64 bytes: how far a pointer into that granule reaches.
 *
 * | memory | word | so that `address - REACH < word` |
 * |---|---|---|
 * | no object | 0 | always holds |
 * | live object | its end - REACH | holds up to the object's end |
 * | freed or never handed out | -2^31 + number of the granule in its object | never holds |
 *
 * One load and one comparison find a freed object and leaving a live one. The words are plain: only who takes or gives back an object
 * writes those of its granules, and whoever got the object's address from there got it through an atomic or a lock, behind the
 * word. One who still uses an object that another thread gives back at that moment may miss that it is gone, as it may on hardware.
 *
 * Fresh objects are filled with poison; reading that word is reading what nobody wrote. Two words per object, in a
 * table beside the shadow, keep who took it and who gave it back. Modules that use the arena's views directly are not seen
 * here; the stepped build sees them too (machine/stepped/).
 */
import { bootOptions } from './boot.ts';
import { EmulatorBug } from './errors.ts';
import { arena, arenaBytes, f64 as arenaUlongs, i32 as arenaWords, staticStorage } from './memory.ts';
import { currentFunction } from './shadow-stack.ts';
import { AREA_INDEX, currentArea } from './task-area.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const f64 = arenaUlongs;
const i32 = arenaWords;

const boot = bootOptions();
/** Are accesses checked in this thread? */
export const HEAP_CHECK: boolean = boot.heapCheck && !boot.stepped;

/** What fresh objects are filled with, as a word and as an unsigned long. */
export const POISON = 0x6b6b6b6b;
export const POISON_ULONG: number = new Float64Array(new Int32Array([POISON, POISON]).buffer)[0] as number;

export const GRANULE_SHIFT = 6;
/** Bytes of the people's table for each word in it: two words for each object of a granule or more. */
const PERSON_SHIFT = GRANULE_SHIFT - 1;
/** Above all addresses. */
export const REACH = 0x7fffffff;
const GONE = -0x80000000;
/** Words at or above this one belong to no dead object: the granules of the largest one are fewer. */
const FIRST_LIVE = GONE + 0x10000;

/** The shadow, by number of the granule. */
export const shadowWords: Int32Array = HEAP_CHECK
  ? new Int32Array(arena, staticStorage('heap_shadow', arenaBytes >> (GRANULE_SHIFT - 2), 64).address, arenaBytes >> GRANULE_SHIFT)
  : new Int32Array(1);
const shadow = shadowWords;
/** Word index of the people: two words for each object, at its address >> PERSON_SHIFT. */
const people = HEAP_CHECK ? staticStorage('heap_people', arenaBytes >> (PERSON_SHIFT - 2), 64).address >> 2 : 0;

/** What is wrong with an access. */
export type HeapFault = 'use-after-free' | 'double-free' | 'out-of-bounds' | 'uninitialised-read';

/** A faulty access, and what is known of the object. */
export interface HeapFinding {
  what: HeapFault;
  address: number;
  write: boolean;
  /** First byte of the object, and its cache number. */
  object: number;
  cache: number;
  allocated: Person;
  /** Undefined while the object is live. */
  freed: Person | undefined;
}

/** Who did something: index of the task's area, number of the function. */
export interface Person {
  task: number;
  fn: number;
}

let listener: (finding: HeapFinding) => void = ({ what, address }) => {
  throw new EmulatorBug(`heap: ${what} at ${address}`);
};

/** Makes `heard` the listener of this thread; without one a finding is an EmulatorBug. */
export function onHeapFinding(heard: (finding: HeapFinding) => void): void {
  listener = heard;
}

/** Objects begin and end at multiples of this. */
export const LEAST_ALIGN: number = HEAP_CHECK ? 1 << GRANULE_SHIFT : 32;

/** Makes an object of `bytes` reachable. */
export function shadowLive(object: number, bytes: number): void {
  const word = object + bytes - REACH;
  const end = (object + bytes) >> GRANULE_SHIFT;
  for (let granule = object >> GRANULE_SHIFT; granule < end; granule++) shadow[granule] = word;
}

/** Makes an object of `bytes` unreachable. */
export function shadowGone(object: number, bytes: number): void {
  const first = object >> GRANULE_SHIFT;
  const granules = bytes >> GRANULE_SHIFT;
  for (let n = 0; n < granules; n++) shadow[first + n] = GONE + n;
}

/** Fills a fresh object. */
export function poison(object: number, bytes: number): void {
  const end = (object + bytes) >> 3;
  for (let at = object >> 3; at < end; at++) f64[at] = POISON_ULONG;
}

/** The current task and function, and a cache number (below 64), in a word. */
function me(cache: number): number {
  return ((i32[(currentArea() + AREA_INDEX) >> 2] as number) << 22) | (currentFunction() << 6) | cache;
}

/** Remembers that the current task took an object. */
export function noteTaker(object: number, cache: number): void {
  i32[people + (object >> PERSON_SHIFT)] = me(cache);
}

/** Remembers that the current task gave an object back. */
export function noteGiver(object: number, cache: number): void {
  i32[people + (object >> PERSON_SHIFT) + 1] = me(cache);
}

function personAt(at: number): Person {
  const word = i32[at] as number;
  return { task: word >>> 22, fn: (word >>> 6) & 0xffff };
}

/** First byte of the object on a granule; the granule has a word other than 0. */
function objectOn(granule: number): number {
  const word = shadow[granule] as number;
  if (word < FIRST_LIVE) return (granule - (word - GONE)) << GRANULE_SHIFT;
  let first = granule;
  while (shadow[first - 1] === word) first--;
  return first << GRANULE_SHIFT;
}

/** Tells the listener of a fault at `address`, in the object that `p` points into. */
export function heapFault(what: HeapFault, p: number, address: number, write: boolean): void {
  const granule = p >> GRANULE_SHIFT;
  const object = objectOn(granule);
  const at = people + (object >> PERSON_SHIFT);
  const freed = (shadow[granule] as number) < FIRST_LIVE ? personAt(at + 1) : undefined;
  listener({ what, address, write, object, cache: (i32[at] as number) & 63, allocated: personAt(at), freed });
}

/**
 * Looks at an access to `address` through pointer `p`: the object that `p` points into must be live, and reach that far. Short,
 * because it is inlined wherever kernel code touches memory, and V8's budget for that counts bytecodes. The door's plain accesses
 * have the comparison written out, which is shorter still.
 */
export function checkAccess(p: number, address: number, write: boolean): void {
  if (address - REACH >= (shadow[p >> GRANULE_SHIFT] as number)) badAccess(p, address, write);
}

/** The comparison did not hold. */
export function badAccess(p: number, address: number, write: boolean): void {
  const gone = (shadow[p >> GRANULE_SHIFT] as number) < FIRST_LIVE;
  heapFault(gone ? 'use-after-free' : 'out-of-bounds', p, address, write);
}

/** An atomic read, looked at. */
export function checkedLoad(p: number, address: number): number {
  checkAccess(p, address, false);
  const value = Atomics.load(i32, address >> 2);
  if (value === POISON) checkPoison(p, address);
  return value;
}

/** A read through `p` gave {@link POISON}: a fault when it came from a live object. */
export function checkPoison(p: number, address: number): void {
  const word = shadow[p >> GRANULE_SHIFT] as number;
  if (word >= FIRST_LIVE && word !== 0) heapFault('uninitialised-read', p, address, false);
}

/** Live objects by cache number and who took them: for the report of a leak. */
export function liveOwners(): { cache: number; allocated: Person; object: number }[] {
  const out: { cache: number; allocated: Person; object: number }[] = [];
  let before = 0;
  for (let granule = 0; granule < arenaBytes >> GRANULE_SHIFT; granule++) {
    const word = shadow[granule] as number;
    if (word !== 0 && word !== before && word >= FIRST_LIVE) {
      const at = people + (granule << (GRANULE_SHIFT - PERSON_SHIFT));
      out.push({ cache: (i32[at] as number) & 63, allocated: personAt(at), object: granule << GRANULE_SHIFT });
    }
    before = word;
  }
  return out;
}
