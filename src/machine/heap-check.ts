/**
 * Heap checks of free runs (boot option heapCheck): every access through the door is looked at.
 *
 * One byte per 32 bytes of arena: the state of the object there (OBJECT_*, 0 for memory that is no object) in two bits, and
 * above them how many such pieces lie before this one in the object. A second table keeps who took and who gave back.
 * Fresh objects are filled with {@link POISON}; reading that word is reading what nobody wrote. Modules that use the
 * arena's views directly are not seen here; the stepped build sees them too (machine/stepped/).
 */
import { bootOptions } from './boot.ts';
import { EmulatorBug } from './errors.ts';
import { arenaBytes, u8 as arenaBytes8, i32 as arenaWords, staticStorage } from './memory.ts';
import { currentFunction } from './shadow-stack.ts';
import { AREA_INDEX, currentArea } from './task-area.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;
const u8 = arenaBytes8;

const boot = bootOptions();
/** Are accesses checked in this thread? */
export const HEAP_CHECK: boolean = boot.heapCheck && !boot.stepped;

const LIVE = 2;
const STATE_MASK = 3;
/** Pieces that an offset can count; the rest of larger objects is not told apart. */
const MAX_OFFSET = 63;
/** What fresh objects are filled with. */
export const POISON = 0x6b6b6b6b;

const states = staticStorage('slab_states', arenaBytes >> 5, 64).address;
const people = HEAP_CHECK ? staticStorage('slab_people', arenaBytes >> 3, 64).address : 0;

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

/** Gives a state to all pieces of an object. */
export function markObject(object: number, bytes: number, state: number): void {
  const first = states + (object >> 5);
  for (let piece = 0; piece < bytes >> 5; piece++) u8[first + piece] = state | (Math.min(piece, MAX_OFFSET) << 2);
}

/** Remembers who took (first word) or gave back (second) an object, and fills a taken one with poison. */
export function noteOwner(object: number, bytes: number, cache: number, taken: boolean): void {
  const at = (people >> 2) + (object >> 5);
  const person = ((i32[(currentArea() + AREA_INDEX) >> 2] as number) << 22) | (currentFunction() << 6) | cache;
  if (taken) {
    i32[at] = person;
    for (let word = object >> 2; word < (object + bytes) >> 2; word++) i32[word] = POISON;
  } else if (bytes > 32) i32[at + 1] = person;
}

function personAt(at: number): Person {
  const word = i32[at] as number;
  return { task: word >>> 22, fn: (word >>> 6) & 0xffff };
}

/** Tells the listener of a fault at `address`. */
export function heapFault(what: HeapFault, address: number, write: boolean): void {
  const state = u8[states + (address >> 5)] as number;
  const object = ((address >> 5) - (state >> 2)) << 5;
  const at = (people >> 2) + (object >> 5);
  const freed = (state & STATE_MASK) === LIVE ? undefined : personAt(at + 1);
  listener({ what, address, write, object, cache: (i32[at] as number) & 63, allocated: personAt(at), freed });
}

/**
 * Looks at an access to `address` through pointer `p`.
 * Memory that is no object is never at fault; leaving the object that `p` points into is.
 */
export function checkAccess(p: number, address: number, write: boolean): void {
  const state = u8[states + (address >> 5)] as number;
  const from = u8[states + (p >> 5)] as number;
  if (state === 0 && from === 0) return;
  const known = from !== 0 && from >> 2 !== MAX_OFFSET && state >> 2 !== MAX_OFFSET;
  if (known && (p >> 5) - (from >> 2) !== (address >> 5) - (state >> 2)) heapFault('out-of-bounds', p, write);
  else if (state === 0) return;
  else if ((state & STATE_MASK) !== LIVE) heapFault('use-after-free', address, write);
  else if (!write && i32[address >> 2] === POISON) heapFault('uninitialised-read', address, false);
}

/** Live objects by cache number and who took them: for the report of a leak. */
export function liveOwners(): { cache: number; allocated: Person; object: number }[] {
  const out: { cache: number; allocated: Person; object: number }[] = [];
  for (let piece = 0; piece < arenaBytes >> 5; piece++) {
    if (u8[states + piece] !== LIVE) continue;
    const at = (people >> 2) + piece;
    out.push({ cache: (i32[at] as number) & 63, allocated: personAt(at), object: piece << 5 });
  }
  return out;
}
