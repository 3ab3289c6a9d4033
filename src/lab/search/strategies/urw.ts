/**
 * URW, uniform random walk: H. Zhao, D. Wolff, U. Mathur, A. Roychoudhury, "Selectively Uniform Concurrency Testing",
 * ASPLOS 2025. A task is chosen with a weight of the steps that it has left; with exact counts and no blocking every
 * interleaving is equally likely.
 *
 * Departs from the paper: counts come from one measured schedule, and a task that goes beyond its count weighs 1.
 */
import { weighted } from '../bits.ts';
import type { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';

export function create(): Strategy {
  const left = new Int32Array(32);
  let random: Random;
  return {
    begin(start) {
      random = start.random;
      for (let t = 0; t < start.tasks; t++) left[t] = Math.max(1, start.profile.stepsOf[t] ?? 1);
    },
    choose({ runnable }) {
      return weighted(runnable, left, random);
    },
    executed(task) {
      left[task] = Math.max(1, (left[task] as number) - 1);
    },
  };
}
