/**
 * POS, partial order sampling: X. Yuan, J. Yang, R. Gu, "Partial Order Aware Concurrency Sampling", CAV 2018. Every
 * pending operation has a random priority; the highest runnable one is made; then the operation that follows it, and every
 * pending one that races with it, draw again. (Without drawing again for racers it would be BasicPOS.)
 */
import { dependent } from '../dependence.ts';
import type { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';

export function create(): Strategy {
  const priority = new Int32Array(32);
  let random: Random;
  return {
    begin(start) {
      random = start.random;
      for (let t = 0; t < start.tasks; t++) priority[t] = random.next();
    },
    choose({ runnable }) {
      let best = -1;
      for (let left = runnable; left !== 0; left &= left - 1) {
        const t = 31 - Math.clz32(left & -left);
        if (best < 0 || (priority[t] as number) > (priority[best] as number)) best = t;
      }
      return best;
    },
    executed(task, { live, kind, address }) {
      priority[task] = random.next();
      for (let left = live & ~(1 << task); left !== 0; left &= left - 1) {
        const t = 31 - Math.clz32(left & -left);
        if (dependent(kind[t] as number, address[t] as number, kind[task] as number, address[task] as number)) priority[t] = random.next();
      }
    },
  };
}
