/**
 * PCT: S. Burckhardt, P. Kothari, M. Musuvathi, S. Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees of
 * Finding Bugs", ASPLOS 2010. Tasks get distinct random priorities, the highest runnable one runs; at d - 1 random steps
 * the running task falls below all others. A bug of depth d shows with probability at least 1 / (n k^(d-1)).
 *
 * Departs from the paper in two ways. k is measured, on one schedule without preemptions, and change points are drawn
 * without repetition. A task that made {@link SPIN_LIMIT} steps in a row while another one could run falls to the
 * lowest priority: the paper's tasks do not spin.
 */
import type { Random } from '../random.ts';
import type { Strategy, StrategyFactory } from '../strategy.ts';

/** Steps in a row after which a task counts as spinning, in lengths of a whole schedule. */
const SPIN_LIMIT = 4;

export const create: StrategyFactory = ({ depth }): Strategy => {
  const priority = new Int32Array(32);
  const changes = new Int32Array(Math.max(1, depth));
  let next = 0;
  let lowest = 0;
  let spinLimit = 0;
  let lastSwitch = 0;

  function drawChanges(random: Random, steps: number): void {
    const wanted = Math.min(depth - 1, steps);
    for (let i = 0; i < wanted; ) {
      const at = 1 + random.below(steps);
      let j = i;
      while (j > 0 && (changes[j - 1] as number) > at) j--;
      if (j > 0 && changes[j - 1] === at) continue;
      changes.copyWithin(j + 1, j, i);
      changes[j] = at;
      i++;
    }
    changes[wanted] = 0x7fffffff;
  }

  return {
    begin({ random, tasks, profile }) {
      for (let t = 0; t < tasks; t++) priority[t] = depth + t;
      for (let t = tasks - 1; t > 0; t--) {
        const u = random.below(t + 1);
        const p = priority[t] as number;
        priority[t] = priority[u] as number;
        priority[u] = p;
      }
      drawChanges(random, profile.steps);
      next = 0;
      lowest = 0;
      lastSwitch = 0;
      spinLimit = SPIN_LIMIT * profile.steps;
    },
    choose(view) {
      const { runnable, current, step } = view;
      while (step >= (changes[next] as number)) {
        if (current >= 0) priority[current] = depth - 1 - next;
        next++;
      }
      if (current >= 0 && step - lastSwitch > spinLimit) {
        priority[current] = --lowest;
        lastSwitch = step;
      }
      let best = -1;
      let highest = -0x80000000;
      for (let left = runnable; left !== 0; left &= left - 1) {
        const t = 31 - Math.clz32(left & -left);
        if ((priority[t] as number) > highest) {
          highest = priority[t] as number;
          best = t;
        }
      }
      if (best !== current) lastSwitch = step;
      if (view.live === runnable) {
        const change = changes[next] as number;
        view.calmUntil = change < lastSwitch + spinLimit ? change : lastSwitch + spinLimit;
      }
      return best;
    },
  };
};
