/**
 * The heap of stepped tasks: each task takes objects from a region of its own, one after the other, and nothing is handed out
 * twice in a schedule. So an object's address depends on what its task did and not on how tasks interleave, a
 * use after free is always seen, and undoing a schedule means forgetting how much each region gave.
 * The price: a bug that needs a reused address does not show; real threads are there for that.
 */
import { ArenaExhausted, EmulatorBug } from '../errors.ts';
import { arenaBytes, i32 as arenaWords, sbrk } from '../memory.ts';
import { AREA_INDEX, currentArea, MAX_TASKS } from '../task-area.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

export const HEAP_RAW = 0;
export const HEAP_LIVE = 2;
export const HEAP_FREED = 3;

/** Tasks with a region, beside the one that sets up; and what a fresh object is filled with: reading it is a bug. */
const REGIONS = 16;
const POISON = 0x6b6b6b6b;
const GRANULE_SHIFT = 5;
/** An eighth of the arena for the set-up, another one for all tasks together. */
const SETUP_BYTES = arenaBytes >> 3;
const TASK_BYTES = (arenaBytes >> 3) / REGIONS;

const base = sbrk(SETUP_BYTES + REGIONS * TASK_BYTES, 4096, 'the heap of stepped tasks');
const granules = (SETUP_BYTES + REGIONS * TASK_BYTES) >> GRANULE_SHIFT;
const states = new Uint8Array(granules);
/** Address of the object on a granule, and its cache number. Both outlive the object until the schedule is undone. */
const objects = new Int32Array(granules);
const owners = new Uint8Array(granules);
/** Next free address of each region: the set-up's first. */
const tops = new Int32Array(REGIONS + 1);
/** Live objects per cache, now and as {@link saveHeap} found them. */
const live = new Int32Array(64);
let savedLive = live.slice();
let savedTop = base;
/** Objects of the set-up that the schedule freed: address and bytes. */
const freed: number[] = [];

/** Hears of an access to memory that is not live. `what`: `use-after-free`, `wild-access` or `double-free`. */
export type HeapFinding = (what: string, address: number, write: boolean, cache: number) => void;
let finding: HeapFinding = (what, address) => {
  throw new EmulatorBug(`${what} at ${address}`);
};

/** Hears of each object that is given back. */
export type FreeListener = (object: number) => void;
let freeListener: FreeListener = () => {};

/** Makes these the listeners of this thread. */
export function onHeap(found: HeapFinding, gaveBack: FreeListener): void {
  finding = found;
  freeListener = gaveBack;
}

function regionStart(region: number): number {
  return region === 0 ? base : base + SETUP_BYTES + (region - 1) * TASK_BYTES;
}
for (let region = 0; region <= REGIONS; region++) tops[region] = regionStart(region);

function mark(address: number, bytes: number, state: number): void {
  const start = (address - base) >> GRANULE_SHIFT;
  const end = start + (bytes >> GRANULE_SHIFT);
  // A call of fill() costs as much as a dozen stores.
  if (end - start > 12) states.fill(state, start, end);
  else for (let g = start; g < end; g++) states[g] = state;
}

/** The object, live or freed, that `address` lies in; 0 when it lies in none. */
export function objectAt(address: number): number {
  return objects[(address - base) >> GRANULE_SHIFT] ?? 0;
}

/**
 * Takes an object of `bytes` (a multiple of 32), filled with zeros or with poison.
 * @throws ArenaExhausted
 */
export function heapTake(bytes: number, align: number, cache: number, zeros: boolean): number {
  const task = i32[(currentArea() + AREA_INDEX) >> 2] as number;
  const region = task === MAX_TASKS - 1 ? 0 : task + 1;
  if (region > REGIONS) throw new EmulatorBug(`task ${task} has no stepped heap: at most ${REGIONS} tasks can be stepped`);
  const start = ((tops[region] as number) + align - 1) & -align;
  const end = start + bytes;
  if (end > (region === REGIONS ? base + SETUP_BYTES + REGIONS * TASK_BYTES : regionStart(region + 1)))
    throw new ArenaExhausted('the heap of a stepped task', bytes, arenaBytes);
  tops[region] = end;
  for (let g = (start - base) >> GRANULE_SHIFT; g < (end - base) >> GRANULE_SHIFT; g++) {
    states[g] = HEAP_LIVE;
    objects[g] = start;
    owners[g] = cache;
  }
  const filling = zeros ? 0 : POISON;
  for (let at = start >> 2; at < end >> 2; at++) i32[at] = filling;
  live[cache] = (live[cache] as number) + 1;
  return start;
}

/** Gives an object back; it is never handed out again in this schedule. */
export function heapGive(address: number, bytes: number, cache: number): void {
  if (states[(address - base) >> GRANULE_SHIFT] !== HEAP_LIVE) {
    finding('double-free', address, true, cache);
    return;
  }
  mark(address, bytes, HEAP_FREED);
  live[cache] = (live[cache] as number) - 1;
  if (address < savedTop) freed.push(address, bytes);
  freeListener(address);
}

/** State of the object at `address`. */
export function heapState(address: number): number {
  return states[(address - base) >> GRANULE_SHIFT] ?? HEAP_RAW;
}

/** Live objects of cache number `cache`. */
export function heapLive(cache: number): number {
  return live[cache] as number;
}

/** Looks whether `address`, if it lies in the heap, belongs to a live object. */
export function checkHeap(address: number, write: boolean): void {
  const g = (address - base) >> GRANULE_SHIFT;
  if (g < 0 || g >= granules || states[g] === HEAP_LIVE) return;
  finding(states[g] === HEAP_FREED ? 'use-after-free' : 'wild-access', address, write, owners[g] as number);
}

/** Keeps the heap as it is now: the state after the set-up. */
export function saveHeap(): void {
  savedLive = live.slice();
  savedTop = tops[0] as number;
  freed.length = 0;
}

/** A set-up follows: nothing is taken. */
export function clearHeap(): void {
  savedTop = base;
  savedLive.fill(0);
  freed.length = 0;
  undoHeap();
}

/** Goes back to {@link saveHeap}. */
export function undoHeap(): void {
  for (let region = 0; region <= REGIONS; region++) {
    const start = region === 0 ? savedTop : regionStart(region);
    const top = tops[region] as number;
    if (top === start) continue;
    states.fill(HEAP_RAW, (start - base) >> GRANULE_SHIFT, (top - base) >> GRANULE_SHIFT);
    objects.fill(0, (start - base) >> GRANULE_SHIFT, (top - base) >> GRANULE_SHIFT);
    tops[region] = start;
  }
  for (let i = 0; i < freed.length; i += 2) mark(freed[i] as number, freed[i + 1] as number, HEAP_LIVE);
  freed.length = 0;
  for (let cache = 0; cache < live.length; cache++) live[cache] = savedLive[cache] as number;
}
