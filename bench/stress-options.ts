/** Paired stress runs for benches: nothing but the race, and only once the optimiser is done. */
import type { Counts, StressOptions } from '../src/lab/stress/orders.ts';
import { runStress } from '../src/lab/stress/run.ts';

/** The unfixed kernel with lockdep and without recorder, one area per process, never scanned; changed as asked for. */
function pairedStress(change: Partial<StressOptions>): StressOptions {
  const vmas = change.vmas ?? 1;
  return {
    shape: 'paired',
    variant: 'unfixed',
    vmas,
    pages: vmas,
    pageBytes: 0,
    frames: 0,
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
    limits: {},
    checks: { heap: false, refs: false, pages: false },
    hungTaskSeconds: 10,
    record: false,
    arena: 64,
    untilReport: false,
    ...change,
  };
}

/** A second of a fresh thread goes into compiling; on a busy machine more. */
const WARM_UP_SECONDS = 1;

/**
 * What a run counts per second after its warm-up.
 * @param seconds  measured, warm-up not included
 */
export async function perSecond(change: Partial<StressOptions>, seconds: number, pick: (counts: Counts) => number): Promise<number> {
  let warm: { count: number; at: number } | undefined;
  let last = { count: 0, at: 0 };
  const result = await runStress(pairedStress({ ...change, seconds: WARM_UP_SECONDS + seconds }), {
    progress: ({ counts }, at) => {
      last = { count: pick(counts), at };
      if (warm === undefined && at >= WARM_UP_SECONDS) warm = last;
    },
  });
  if (warm === undefined || last.at <= warm.at) return pick(result.counts) / result.seconds;
  return (last.count - warm.count) / (last.at - warm.at);
}
