/** Random walk: at every point each runnable task is equally likely. The baseline; neither interleavings nor traces come out uniform. */
import { countBits, nthBit } from '../bits.ts';
import type { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';

export function create(): Strategy {
  let random: Random;
  return {
    begin(start) {
      random = start.random;
    },
    choose(view) {
      return nthBit(view.runnable, random.below(countBits(view.runnable)));
    },
  };
}
