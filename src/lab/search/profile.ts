/** One schedule without preemptions, measured: how long schedules are, and which addresses tasks share. */
import { POINT_RCU, POINT_READ } from '../../machine/points.ts';
import type { Engine } from './engine.ts';
import { NO_PROFILE, oneAfterTheOther } from './in-order.ts';
import { Random } from './random.ts';
import type { Profile } from './strategy.ts';

/** Measures the engine's scenario. Always the same for the same code and workload. */
export function measure(engine: Engine): Profile {
  const stepsOf = engine.tasks.map(() => 0);
  const touches = new Map<number, { counts: number[]; written: boolean }>();
  engine.observer = {
    begin() {},
    executed(task, kind, address) {
      stepsOf[task] = (stepsOf[task] as number) + 1;
      let touch = touches.get(address);
      if (touch === undefined) {
        touch = { counts: engine.tasks.map(() => 0), written: false };
        touches.set(address, touch);
      }
      touch.counts[task] = (touch.counts[task] as number) + 1;
      if (kind !== POINT_READ && kind !== POINT_RCU) touch.written = true;
    },
    freed() {},
  };
  engine.run(oneAfterTheOther(), new Random(), NO_PROFILE);
  engine.observer = undefined;
  const shared = new Map<number, readonly number[]>();
  for (const [address, { counts, written }] of touches) {
    if (written && counts.filter((n) => n > 0).length > 1) shared.set(address, counts);
  }
  return { steps: Math.max(1, engine.steps), stepsOf, shared };
}
