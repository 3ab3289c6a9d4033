/**
 * A lock for short critical sections of the machine and of checkers: no scheduling point inside, and none may come
 * while it is held. So a thread that plays several tasks never finds it taken by another task of its own.
 */
import { i32 as arenaWords } from './memory.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** Looks before parking; holders need a few microseconds. */
const SPINS = 200;

/** Takes the lock in the word at byte address `at` (0: free). Ends when the holder, another thread, lets go. */
export function shortLock(at: number): void {
  while (Atomics.compareExchange(i32, at >> 2, 0, 1) !== 0) {
    for (let i = 0; i < SPINS && Atomics.load(i32, at >> 2) !== 0; i++);
    if (Atomics.load(i32, at >> 2) !== 0) Atomics.wait(i32, at >> 2, 1, 1);
  }
}

/** Gives it up. Waiters look again by themselves within a millisecond. */
export function shortUnlock(at: number): void {
  Atomics.store(i32, at >> 2, 0);
}
