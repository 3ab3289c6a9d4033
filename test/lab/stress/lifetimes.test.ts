/**
 * Lifetimes: after a run on real threads every object is back where it came from. The world compares all slab caches
 * with their counts before the run and fails otherwise. KSMRACE_SOAK=100000 makes the runs as long as that.
 */
import { describe, expect, it } from 'vitest';
import type { StressOptions } from '../../../src/lab/stress/orders.ts';
import type { runStress as RunStress } from '../../../src/lab/stress/run.ts';

// The built one: it starts threads, and they load what is built.
const { runStress } = (await import(new URL('../../../dist/src/lab/stress/run.js', import.meta.url).href)) as {
  runStress: typeof RunStress;
};

const TRIALS = Number(process.env.KSMRACE_SOAK ?? 4_000);

const base: StressOptions = {
  shape: 'paired',
  variant: 'unfixed',
  vmas: 2,
  pages: 3,
  seed: 11,
  seconds: Number.POSITIVE_INFINITY,
  trials: TRIALS,
  workers: 2,
  delay: 'none',
  scanned: 'mix',
  toggle: [],
  life: 0,
  rest: 0,
  lockdep: 'on',
  limits: {},
  pageBytes: 0,
  frames: 0,
  checks: { heap: false, refs: false, pages: false },
  hungTaskSeconds: 10,
  record: true,
  arena: 64,
  untilReport: false,
};

describe('lifetimes on real threads', () => {
  for (const variant of ['unfixed', 'fixed', 'both', 'linked-list']) {
    for (const delay of ['none', 'random', 'aimed'] as const) {
      it(`${variant}, delay ${delay}: nothing is lost or freed twice`, async () => {
        const { failure, counts, findings } = await runStress({ ...base, variant, delay });
        expect(failure).toBeUndefined();
        expect(counts).toMatchObject({ trials: TRIALS, exits: TRIALS, passes: TRIALS });
        expect(findings.map(({ kind }) => kind).filter((kind) => kind !== 'suspicious-rcu-usage')).toEqual([]);
        expect(counts.reports).toBe(variant === 'unfixed' ? counts.hits.total : 0);
      }, 240_000);
    }
  }
});
