/** The stepped twin of machine/wait: a task that must wait is not runnable, so nothing here ever waits. */
import { EmulatorBug } from '../errors.ts';
import type { Field, Ptr, Word } from '../layout.ts';
import { i32 as arenaWords } from '../memory.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

// What is not replaced below is the same; local exports come before starred ones.
export * from '../wait.ts';

/** No spinning: nobody else runs meanwhile. */
export function spinBudget(): number {
  return 0;
}

export function spinWhile<S extends string>(p: Ptr<S>, f: Field<S, Word>, seen: number): boolean {
  return i32[(p + f) >> 2] !== seen;
}

/** Reached only inside a lock operation, and those begin when the lock can be had. Elsewhere the build replaces the call. */
export function awaitChange<S extends string>(p: Ptr<S>, f: Field<S, Word>, _seen: number): void {
  throw new EmulatorBug(`a lock operation waits for the word at ${p + f}, though it was let through as free`);
}

/** Time is not modelled: a sleep ends when the task is scheduled next, with or without a change. */
export function sleepWhile<S extends string>(p: Ptr<S>, f: Field<S, Word>, seen: number, _ms: number): boolean {
  return i32[(p + f) >> 2] !== seen;
}

/** Waiting tasks see the change themselves. */
export function wakeWord<S extends string>(_p: Ptr<S>, _f: Field<S, Word>, _count?: number): void {}
