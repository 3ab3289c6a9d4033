import { expect, test } from 'vitest';
import { type ExperimentPlan, type Instrument, runExperiment } from '../../../src/lab/overhead/experiment.ts';
import { randomNormal, seededRandom } from '../../../src/lab/stats/random.ts';

const plan: ExperimentPlan = {
  variants: ['unfixed', 'fixed', 'both'],
  baseline: 'unfixed',
  order: 'abba',
  minPairs: 30,
  precision: 0.01,
  seconds: 5,
  seed: 1,
};
const go = (): boolean => false;

/** A machine that is slow until it has warmed up, drifts, and makes 1 % of noise. */
function simulated(cost: Record<string, number>, warmUp = 40): Instrument {
  const random = seededRandom(8);
  let blocks = 0;
  return async (variant) => {
    blocks++;
    const cold = blocks < warmUp ? 3 : 1;
    return { value: (cost[variant] as number) * cold * (1 + blocks * 1e-5) * (1 + 0.01 * randomNormal(random)) };
  };
}

test('finds the planted differences, and none in the baseline against itself', async () => {
  const result = await runExperiment(simulated({ unfixed: 100, fixed: 98, both: 102 }), plan, go);
  const [unfixed, fixed, both] = result.variants;
  expect(unfixed?.comparison).toBeUndefined();
  expect(fixed?.comparison?.ratio).toBeCloseTo(0.98, 2);
  expect(both?.comparison?.ratio).toBeCloseTo(1.02, 2);
  expect(fixed?.comparison?.p).toBeLessThan(0.01);
  expect(result.aa?.p).toBeGreaterThan(0.01);
  expect(result.aa?.pairs).toBe(30);
  expect(result).toMatchObject({ precise: true, unfinished: false });
  expect(fixed?.comparison?.pairs).toBeGreaterThanOrEqual(30);
});

test('waits until the optimiser is done', async () => {
  const early = await runExperiment(simulated({ unfixed: 1, fixed: 1, both: 1 }, 0), plan, go);
  const late = await runExperiment(simulated({ unfixed: 1, fixed: 1, both: 1 }, 80), plan, go);
  expect(early.warmUp).toEqual({ blocks: 36, settled: true });
  expect(late.warmUp.settled).toBe(true);
  // 80 blocks over three variants, then nearly a full window without the step.
  expect(late.warmUp.blocks).toBeGreaterThan(40);
});

test('every block is kept, mirrored in each round, and a variant has two of them a round', async () => {
  const { blocks, variants } = await runExperiment(simulated({ unfixed: 1, fixed: 1, both: 1 }), plan, go);
  const rounds = variants[1]?.comparison?.pairs as number;
  const measured = blocks.filter((b) => b.phase === 'a/b');
  expect(measured.length).toBe(rounds * 6);
  for (const v of variants) expect(v.blocks.length).toBe(rounds * 2);
  const names = measured.map((b) => b.variant);
  for (let r = 0; r < rounds; r++) expect(names.slice(6 * r, 6 * r + 3)).toEqual(names.slice(6 * r + 3, 6 * r + 6).reverse());
  expect(new Set(names.slice(0, 60).filter((_, i) => i % 6 === 0)).size).toBe(3);
});

test('random order measures each variant once a round', async () => {
  const { blocks, variants } = await runExperiment(simulated({ unfixed: 1, fixed: 1, both: 1 }), { ...plan, order: 'random' }, go);
  expect(blocks.filter((b) => b.phase === 'a/b').length).toBe((variants[1]?.comparison?.pairs as number) * 3);
});

test('too much noise for the precision is no error: it ends in time and says so', async () => {
  const result = await runExperiment(simulated({ unfixed: 1, fixed: 1, both: 1 }), { ...plan, precision: 1e-9, seconds: 0.05 }, go);
  expect(result).toMatchObject({ precise: false, unfinished: false });
  expect(result.variants[1]?.comparison?.pairs).toBeGreaterThanOrEqual(30);
});

test('stopped from outside: what is known so far, marked unfinished, in whole rounds', async () => {
  let left = 36 * 3 + 30 * 4 + 20;
  const result = await runExperiment(simulated({ unfixed: 1, fixed: 1, both: 1 }, 0), plan, () => left-- <= 0);
  expect(result.unfinished).toBe(true);
  expect(result.variants[2]?.comparison?.pairs).toBe(3);
  expect(result.variants.map((v) => v.blocks.length)).toEqual([6, 6, 6]);
  const nothing = await runExperiment(simulated({ unfixed: 1, fixed: 1, both: 1 }), plan, () => true);
  expect(nothing).toMatchObject({ unfinished: true, blocks: [] });
  expect(nothing.aa).toBeUndefined();
});

test('a broken instrument is not swallowed', async () => {
  const broken: Instrument = async () => {
    throw new Error('the worker died');
  };
  await expect(runExperiment(broken, plan, go)).rejects.toThrow('the worker died');
});
