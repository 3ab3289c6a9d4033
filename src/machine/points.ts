/**
 * Scheduling points: announced before each access that other tasks can see, with kind and address.
 *
 * In a free run a point may delay the task (boot option `delay`); with `none` it costs nothing. In the stepped
 * build the call is rewritten into a place where the engine may switch tasks (build/stepped.ts).
 */
import { aimedPoint } from './aimed.ts';
import { bootOptions } from './boot.ts';
import { forcedStep } from './forced.ts';
import { i32 as arenaWords } from './memory.ts';
import { AREA_INDEX, AREA_RANDOM, currentArea } from './task-area.ts';

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
function spin(spins: number): void {
  const own = (currentArea() + AREA_RANDOM) >> 2;
  for (let i = 0; i < spins; i++) Atomics.load(i32, own);
}

function randomDelay(): void {
  const r = nextRandom(currentArea());
  if (r % DELAY_ONE_IN === 0) spin((r >>> 8) % DELAY_MAX_SPINS);
}

/**
 * Announces the access that comes next.
 * @param kind  POINT_*
 * @param _address  the word or lock that it touches; the stepped build hands it to the strategy
 */
export function point(kind: number, _address: number): void {
  if (FORCED) forcedStep(i32[(currentArea() + AREA_INDEX) >> 2] as number);
  if (DELAY === 'random') randomDelay();
  else if (DELAY === 'aimed') aimedPoint(kind);
}
