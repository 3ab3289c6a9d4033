/** Options of a paired stress run for benches: nothing but the race. */
import type { StressOptions } from '../src/lab/stress/orders.ts';

/** The unfixed kernel with lockdep and without recorder, one area per process, never scanned; changed as asked for. */
export function pairedStress(change: Partial<StressOptions>): StressOptions {
  const vmas = change.vmas ?? 1;
  return {
    shape: 'paired',
    variant: 'unfixed',
    vmas,
    pages: vmas,
    seed: 1,
    seconds: 1,
    trials: Number.POSITIVE_INFINITY,
    workers: 2,
    delay: 'none',
    scanned: 'no',
    toggle: [],
    life: 0,
    rest: 0,
    lockdep: 'on',
    record: false,
    arena: 64,
    untilReport: false,
    ...change,
  };
}
