/**
 * Scheduling points of the stepped build: where the code of all tasks meets the engine that plays them.
 *
 * A point asks {@link __step__} right before its access; "true" makes the task's generator yield, "false" lets it go on, so a
 * step without a switch costs a call and two loads.
 */
import { bootOptions } from '../boot.ts';
import { EmulatorBug } from '../errors.ts';
import { i32 as arenaWords } from '../memory.ts';
import { POINT_AWAIT, POINT_LOCK, POINT_RLOCK } from '../points.ts';
import { sawStep } from './races.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

const RACES = bootOptions().races;

/**
 * Decides at a point that is not {@link clock}'s to skip.
 * @param seen  for POINT_AWAIT: the value that the word must leave
 * @returns true to give the CPU away
 */
export type Arrival = (kind: number, address: number, seen: number) => boolean;

/** [steps so far, first step at which the engine wants to be asked again]. */
export const clock: Int32Array = new Int32Array(2);
export const STEPS = 0;
export const CALM = 1;

let arrive: Arrival = () => {
  throw new EmulatorBug('stepped kernel code runs without an engine');
};

/** Makes `decide` the one engine of this thread. */
export function onArrival(decide: Arrival): void {
  arrive = decide;
}

/**
 * Could a task at this point go on now? A lock's word is the first of its struct: exclusive needs 0, reading needs
 * neither writer (1) nor queue (2).
 */
export function canGoOn(kind: number, address: number, seen: number): boolean {
  if (kind === POINT_LOCK) return i32[address >> 2] === 0;
  if (kind === POINT_RLOCK) return ((i32[address >> 2] as number) & 3) === 0;
  if (kind === POINT_AWAIT) return i32[address >> 2] !== seen;
  return true;
}

// biome-ignore lint/style/useNamingConvention: written by the build, never by hand
export function __step__(kind: number, address: number): boolean {
  const now = (clock[STEPS] as number) + 1;
  clock[STEPS] = now;
  if (now < (clock[CALM] as number) && canGoOn(kind, address, 0)) {
    if (RACES) sawStep(kind, address);
    return false;
  }
  return arrive(kind, address, 0);
}

// biome-ignore lint/style/useNamingConvention: written by the build, never by hand
export function __await__(address: number, seen: number): boolean {
  const now = (clock[STEPS] as number) + 1;
  clock[STEPS] = now;
  if (now < (clock[CALM] as number) && i32[address >> 2] !== seen) {
    if (RACES) sawStep(POINT_AWAIT, address);
    return false;
  }
  return arrive(POINT_AWAIT, address, seen);
}

/** The result of a function that may be a generator or a plain one. */
// biome-ignore lint/style/useNamingConvention: written by the build, never by hand
export function* __enter__(result: unknown): Generator<undefined, unknown, undefined> {
  return typeof (result as Generator | undefined)?.next === 'function' ? yield* result as Generator<undefined, unknown, undefined> : result;
}
