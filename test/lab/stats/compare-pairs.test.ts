import { expect, test } from 'vitest';
import {
  comparePairs,
  isDifference,
  type JudgedComparison,
  judge,
  type PairedComparison,
  verdictText,
} from '../../../src/lab/stats/compare-pairs.ts';
import { type Random, randomNormal, seededRandom } from '../../../src/lab/stats/random.ts';

/** Pairs of timings with a drift that both halves share, 1 % noise of their own, and now and then a preemption. */
function simulate(random: Random, pairs: number, effect: number): [number[], number[]] {
  const baseline: number[] = [];
  const variant: number[] = [];
  for (let i = 0; i < pairs; i++) {
    const drift = 1 + 0.3 * Math.sin(i / 7);
    const timing = (): number => drift * (1 + 0.01 * randomNormal(random)) * (random() < 0.03 ? 3 : 1);
    baseline.push(timing());
    variant.push(timing() * effect);
  }
  return [baseline, variant];
}

const one = (b: number[], v: number[]): JudgedComparison => judge([comparePairs(b, v)])[0] as JudgedComparison;

test('A/A stays silent in at least 94 of 100 runs', () => {
  const random = seededRandom(2026);
  let silent = 0;
  for (let i = 0; i < 100; i++) if (!isDifference(one(...simulate(random, 40, 1)).verdict)) silent++;
  expect(silent).toBeGreaterThanOrEqual(94);
});

test('a shift of 2 % is found', () => {
  const random = seededRandom(99);
  let found = 0;
  let held = 0;
  for (let i = 0; i < 50; i++) {
    const c = one(...simulate(random, 40, 1.02));
    if (c.verdict === 'slower') found++;
    if (c.ciLow < 1.02 && c.ciHigh > 1.02) held++;
  }
  expect(found).toBeGreaterThanOrEqual(48);
  expect(held).toBeGreaterThanOrEqual(42);
  expect(one(...simulate(random, 40, 1 / 1.02)).verdict).toBe('faster');
});

test('an effect of the size called detectable is seen about four times in five', () => {
  const random = seededRandom(5);
  const { detectable } = one(...simulate(random, 60, 1));
  let seen = 0;
  for (let i = 0; i < 60; i++) if (one(...simulate(random, 60, 1 + detectable)).verdict === 'slower') seen++;
  expect(seen / 60).toBeGreaterThan(0.65);
});

test('many comparisons without a difference raise no alarm together', () => {
  const random = seededRandom(17);
  let alarms = 0;
  for (let i = 0; i < 20; i++) {
    const family = Array.from({ length: 8 }, () => comparePairs(...simulate(random, 30, 1)));
    if (judge(family).some((c) => isDifference(c.verdict))) alarms++;
  }
  expect(alarms).toBeLessThanOrEqual(2);
});

test('says it in words, and refuses what is no pair', () => {
  const random = seededRandom(1);
  expect(verdictText(one(...simulate(random, 60, 1.2)))).toMatch(/^slower by (19|20|21) %$/);
  expect(verdictText(one(...simulate(random, 60, 1)))).toMatch(/^no difference above [01]\.\d %$/);
  const split: PairedComparison = { ratio: 0.9, ciLow: 0.85, ciHigh: 0.95, p: 0.2, pairs: 30, error: 0.02 };
  expect(judge([split])[0]?.verdict).toBe('unclear');
  expect(judge([{ ...split, p: 0.01, ciHigh: 1.01 }])[0]?.verdict).toBe('unclear');
  expect(() => comparePairs([1, 2], [1])).toThrow('2 baseline values cannot pair with 1');
  expect(() => comparePairs([1, 0], [1, 2])).toThrow('above 0');
  expect(() => comparePairs([1], [1])).toThrow('at least two values');
});
