/**
 * Waiting: a bounded spin, then Atomics.wait with a timeout and a re-check. Every wait ends.
 *
 * The one primitive is "wait until this word is no longer what I saw". Whoever changes the word wakes the
 * waiters, and may skip that when the word itself says that nobody waits (notify costs 27 ns with nobody there).
 */
import { availableParallelism } from 'node:os';
import { RunStopped } from './errors.ts';
import type { Field, Ptr, Word } from './layout.ts';
import { i32 as arenaWords, H_LIVE_TASKS, H_STOP } from './memory.ts';
import { AREA_PARKED, AREA_WAITING_ON, currentArea } from './task-area.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** Loads before parking (about 8 ns each) while every task has a core to itself, and while not. */
const SPINS_ALONE = 2000;
const SPINS_CROWDED = 200;
/** A parked task looks again after this long even if nobody woke it: a lost wake-up costs time, never the run. */
const RECHECK_MS = 50;
const CORES = availableParallelism();

/** From Node 24 on: tells the core that this is a spin loop. */
const pause: () => void = (Atomics as { pause?: () => void }).pause?.bind(Atomics) ?? (() => {});

/** Counts the current thread's task in (+1) or out (-1) of those that compete for cores. */
export function countLiveTask(change: 1 | -1): void {
  Atomics.add(i32, H_LIVE_TASKS >> 2, change);
}

/** Tells every task that waits, now or later, to give up with {@link RunStopped}. */
export function stopAllWaits(): void {
  Atomics.store(i32, H_STOP >> 2, 1);
}

/** True after {@link stopAllWaits}. */
export function stopRequested(): boolean {
  return Atomics.load(i32, H_STOP >> 2) !== 0;
}

/** Loads that a wait spends before it parks. */
export function spinBudget(): number {
  return Atomics.load(i32, H_LIVE_TASKS >> 2) <= CORES ? SPINS_ALONE : SPINS_CROWDED;
}

/** Parks until the word at `index` differs from `seen`, a wake-up, or `ms`. Throws RunStopped when the run stops. */
function park(index: number, seen: number, ms: number): void {
  const area = currentArea();
  i32[(area + AREA_PARKED) >> 2] = (i32[(area + AREA_PARKED) >> 2] as number) + 1;
  Atomics.store(i32, (area + AREA_WAITING_ON) >> 2, index << 2);
  Atomics.wait(i32, index, seen, ms);
  Atomics.store(i32, (area + AREA_WAITING_ON) >> 2, 0);
  if (stopRequested()) throw new RunStopped();
}

/**
 * Spins only: tells whether the word left `seen` within the budget.
 * A lock calls this first, and announces itself as a waiter in its word before {@link awaitChange}.
 */
export function spinWhile<S extends string>(p: Ptr<S>, f: Field<S, Word>, seen: number): boolean {
  const index = (p + f) >> 2;
  for (let budget = spinBudget(); budget > 0; budget--) {
    if (Atomics.load(i32, index) !== seen) return true;
    pause();
  }
  return false;
}

/**
 * Returns when the word has left `seen`, or earlier for no reason: callers loop.
 * @throws RunStopped
 */
export function awaitChange<S extends string>(p: Ptr<S>, f: Field<S, Word>, seen: number): void {
  const index = (p + f) >> 2;
  if (Atomics.load(i32, index) !== seen) return;
  park(index, seen, RECHECK_MS);
}

/**
 * Sleeps until the word has left `seen` or `ms` have passed, in slices, so that a stopped run ends it.
 * @returns true when the word changed
 * @throws RunStopped
 */
export function sleepWhile<S extends string>(p: Ptr<S>, f: Field<S, Word>, seen: number, ms: number): boolean {
  const index = (p + f) >> 2;
  for (let end = performance.now() + ms; Atomics.load(i32, index) === seen; ) {
    const left = end - performance.now();
    if (left <= 0) return false;
    park(index, seen, Math.min(left, RECHECK_MS));
  }
  return true;
}

/** Wakes up to `count` tasks that wait on the word. */
export function wakeWord<S extends string>(p: Ptr<S>, f: Field<S, Word>, count = Number.POSITIVE_INFINITY): void {
  Atomics.notify(i32, (p + f) >> 2, count);
}
