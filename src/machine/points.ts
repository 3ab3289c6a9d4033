/**
 * Scheduling points: announced before each access that other tasks can see, with kind and address.
 *
 * In a free run a point may delay the task (boot option `delay`); with `none` it costs nothing. In the stepped
 * build the call is rewritten into a place where the engine may switch tasks (build/stepped.ts).
 */
import { bootOptions } from './boot.ts';
import { forcedStep } from './forced.ts';
import { i32 as arenaWords } from './memory.ts';
import { currentFunction } from './shadow-stack.ts';
import { AREA_INDEX, AREA_POINTS, AREA_RANDOM, areaOf, currentArea } from './task-area.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** What a task is about to do. */
export const POINT_READ = 1;
export const POINT_WRITE = 2;
/** An atomic read-modify-write. */
export const POINT_RMW = 3;
/** A lock for write or exclusive. */
export const POINT_LOCK = 4;
/** A lock for read. */
export const POINT_RLOCK = 5;
export const POINT_UNLOCK = 6;
/** A dereference of an RCU-protected pointer. */
export const POINT_RCU = 7;
/** A read hold is given up. */
export const POINT_RUNLOCK = 8;
/** A lock, if it can be had at once. */
export const POINT_TRYLOCK = 9;
/** Waits until a word leaves the value seen; announced by the stepped build only. */
export const POINT_AWAIT = 10;
/** An object was given back to its slab: no point of its own, but part of a step that a search must know. */
export const POINT_FREE = 11;

const DELAY = bootOptions().delay;
const FORCED = bootOptions().forced;

/**
 * Per-task words of aimed mode, from AREA_POINTS on: the site to wait at (0: none) and the spins; whether sites are
 * noted; how many are; the list of them.
 */
const AIM_SITE = 0;
const AIM_SPINS = 1;
const WATCHING = 2;
const SITES_SEEN = 3;
const SITES = 4;
const MAX_SITES = 100;
/** Random mode: one point in `DELAY_ONE_IN` is delayed, up to `DELAY_MAX_SPINS` spins. */
const DELAY_ONE_IN = 64;
const DELAY_MAX_SPINS = 300;

/** xorshift32, per task. */
function nextRandom(area: number): number {
  let x = (i32[(area + AREA_RANDOM) >> 2] as number) || 0x9e3779b9 ^ area;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  i32[(area + AREA_RANDOM) >> 2] = x;
  return x >>> 0;
}

/** Burns about 8 ns per spin: an atomic load of a word of the task's own. */
export function spin(spins: number): void {
  const own = (currentArea() + AREA_RANDOM) >> 2;
  for (let i = 0; i < spins; i++) Atomics.load(i32, own);
}

/** The number of a place: the function and the kind of access. */
export function siteNumber(fn: number, kind: number): number {
  return (fn << 4) | kind;
}

function delayed(kind: number): void {
  const area = currentArea();
  if (DELAY === 'random') {
    const r = nextRandom(area);
    if (r % DELAY_ONE_IN === 0) spin((r >>> 8) % DELAY_MAX_SPINS);
    return;
  }
  const mine = (area + AREA_POINTS) >> 2;
  const armed = i32[mine + AIM_SITE] as number;
  const watching = i32[mine + WATCHING] !== 0;
  if (armed === 0 && !watching) return;
  const site = siteNumber(currentFunction(), kind);
  if (watching) noteSite(mine, site);
  if (site === armed) {
    i32[mine + AIM_SITE] = 0;
    spin(i32[mine + AIM_SPINS] as number);
  }
}

function noteSite(mine: number, site: number): void {
  const seen = i32[mine + SITES_SEEN] as number;
  const first = mine + SITES;
  if (seen === MAX_SITES || i32.subarray(first, first + seen).includes(site)) return;
  i32[first + seen] = site;
  i32[mine + SITES_SEEN] = seen + 1;
}

/**
 * Announces the access that comes next.
 * @param kind  POINT_*
 * @param _address  the word or lock that it touches; the stepped build hands it to the strategy
 */
export function point(kind: number, _address: number): void {
  if (FORCED) forcedStep(i32[(currentArea() + AREA_INDEX) >> 2] as number);
  if (DELAY !== 'none') delayed(kind);
}

/** Aimed mode: the current task will spin once, at its next point of `site`. 0 disarms. */
export function armDelay(site: number, spins: number): void {
  const mine = (currentArea() + AREA_POINTS) >> 2;
  i32[mine + AIM_SITE] = site;
  i32[mine + AIM_SPINS] = spins;
}

/** Aimed mode: the current task begins a new list of the sites that it passes (true), or ends it. */
export function watchSites(on: boolean): void {
  const mine = (currentArea() + AREA_POINTS) >> 2;
  i32[mine + WATCHING] = on ? 1 : 0;
  if (on) i32[mine + SITES_SEEN] = 0;
}

/** The distinct sites in the list of task `index`. Exact once the task has ended it and both have met at a gate. */
export function sitesSeen(index: number): number[] {
  const mine = (areaOf(index) + AREA_POINTS) >> 2;
  return [...i32.subarray(mine + SITES, mine + SITES + (i32[mine + SITES_SEEN] as number))];
}
