/** Round-robin: the CPU goes to the next runnable task after every step, in the order of their numbers. One schedule, always the same. */
import { lowestBit } from '../bits.ts';
import type { Strategy } from '../strategy.ts';

export function create(): Strategy {
  return {
    begin() {},
    choose({ runnable, current }) {
      const later = runnable & ~((2 << current) - 1);
      return lowestBit(current >= 0 && later !== 0 ? later : runnable);
    },
  };
}
