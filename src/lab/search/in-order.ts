/** The schedules without preemptions. */
import { lowestBit } from './bits.ts';
import type { Profile, Strategy } from './strategy.ts';

/** Lets task `first` run as long as it can, then the others in the order of their numbers. */
export function oneAfterTheOther(first = 0): Strategy {
  return {
    begin() {},
    choose({ runnable, current }) {
      if (current >= 0 && (runnable & (1 << current)) !== 0) return current;
      return (runnable & (1 << first)) !== 0 ? first : lowestBit(runnable);
    },
  };
}

/** For strategies that do not look at it. */
export const NO_PROFILE: Profile = { steps: 1, stepsOf: [], shared: new Map() };
