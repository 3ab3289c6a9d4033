/** Portfolio: each schedule is one of the others', drawn at random. For when nothing is known of the bug. */
import type { Strategy, StrategyFactory } from '../strategy.ts';
import { create as pct } from './pct.ts';
import { create as pos } from './pos.ts';
import { create as random } from './random.ts';
import { create as surw } from './surw.ts';

export const create: StrategyFactory = ({ depth }): Strategy => {
  const all = [pct({ depth }), pct({ depth: depth + 1 }), pos(), surw(), random()];
  let now = all[0] as Strategy;
  return {
    begin(start) {
      now = all[start.random.below(all.length)] as Strategy;
      now.begin(start);
    },
    choose: (view) => now.choose(view),
    executed: (task, view) => now.executed?.(task, view),
  };
};
