/**
 * The word under every exclusive lock: bounded spin, then Atomics.wait.
 *
 * | value | state |
 * |---|---|
 * | 0 | free |
 * | 1 | held, nobody waits |
 * | 2 | held, perhaps somebody waits: the releaser must notify |
 *
 * After U. Drepper, "Futexes Are Tricky" (2011), mutex2. Not fair: whoever comes first after a release wins.
 * @notrace: a lock operation counts as its caller's.
 */
import type { Field, Ptr, Word } from '../../machine/layout.ts';
import { loadWord, swapWord, tryCas } from '../../machine/lockword.ts';
import { awaitChange, spinBudget, wakeWord } from '../../machine/wait.ts';

/** Takes the lock if it is free. The compare-and-swap pairs with the exchange in {@link releaseWord}. */
export function tryWord<S extends string>(p: Ptr<S>, f: Field<S, Word>): boolean {
  return tryCas(p, f, 0, 1);
}

/** Takes the lock after a failed {@link tryWord}. */
export function acquireWordSlow<S extends string>(p: Ptr<S>, f: Field<S, Word>): void {
  for (let budget = spinBudget(); budget > 0; budget--) {
    if (loadWord(p, f) === 0 && tryCas(p, f, 0, 1)) return;
  }
  // From here on we may be one of several waiters and cannot know, so the lock is taken as "perhaps somebody waits".
  while (swapWord(p, f, 2) !== 0) awaitChange(p, f, 2);
}

/** Gives the lock up and wakes one waiter if there may be one. Returns the value that the word had. */
export function releaseWord<S extends string>(p: Ptr<S>, f: Field<S, Word>): number {
  const was = swapWord(p, f, 0);
  if (was === 2) wakeWord(p, f, 1);
  return was;
}
