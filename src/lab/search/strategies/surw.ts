/**
 * SURW, selectively uniform random walk (H. Zhao et al., ASPLOS 2025, as urw.ts). Uniform over the orders of some selected
 * operations only: who makes the next selected one is drawn beforehand, with a weight of the selected ones that each task has
 * left; whoever comes to one out of turn waits. All else is scheduled by a random walk.
 *
 * Departs from the paper: the selection is drawn anew for each schedule, from one up to {@link MOST} of the addresses that
 * the measured schedule shares between tasks; and when only tasks out of turn are runnable, one of them may go on.
 */
import { countBits, nthBit, weighted } from '../bits.ts';
import type { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';

/** Most addresses in a selection. */
const MOST = 20;

export function create(): Strategy {
  const left = new Int32Array(32);
  const selected = new Set<number>();
  let random: Random;
  let intended = -1;
  let tasks = 0;

  function intendNext(live: number): void {
    let able = 0;
    for (let t = 0; t < tasks; t++) if ((live & (1 << t)) !== 0 && (left[t] as number) > 0) able |= 1 << t;
    intended = able === 0 ? -1 : weighted(able, left, random);
  }

  return {
    begin(start) {
      random = start.random;
      tasks = start.tasks;
      left.fill(0);
      selected.clear();
      const shared = [...start.profile.shared];
      const wanted = shared.length === 0 ? 0 : 1 + random.below(Math.min(MOST, shared.length));
      while (selected.size < wanted) {
        const [address, counts] = shared[random.below(shared.length)] as [number, readonly number[]];
        if (selected.has(address)) continue;
        selected.add(address);
        for (let t = 0; t < tasks; t++) left[t] = (left[t] as number) + (counts[t] as number);
      }
      intendNext((1 << tasks) - 1);
    },
    choose({ runnable, live, address }) {
      if (intended >= 0 && (live & (1 << intended)) === 0) intendNext(live);
      let free = 0;
      for (let rest = runnable; rest !== 0; rest &= rest - 1) {
        const t = 31 - Math.clz32(rest & -rest);
        if (t === intended || intended < 0 || !selected.has(address[t] as number)) free |= 1 << t;
      }
      if (free === 0) free = runnable;
      return nthBit(free, random.below(countBits(free)));
    },
    executed(task, { live, address }) {
      if (!selected.has(address[task] as number)) return;
      left[task] = Math.max(0, (left[task] as number) - 1);
      if (task === intended || intended < 0) intendNext(live);
    },
  };
}
