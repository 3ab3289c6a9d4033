import { expect, test } from 'vitest';
import { bootstrap } from '../../../src/lab/stats/bootstrap.ts';
import { holm } from '../../../src/lab/stats/holm.ts';
import { median, quantile, relativeSpread } from '../../../src/lab/stats/median.ts';
import { normalCdf, normalQuantile } from '../../../src/lab/stats/normal.ts';
import { randomNormal, seededRandom, shuffle } from '../../../src/lab/stats/random.ts';
import { changePoint, SETTLE_WINDOW, settled } from '../../../src/lab/stats/settled.ts';

test('medians and quantiles', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9)).toBeCloseTo(9.1, 12);
  expect(median([])).toBeNaN();
  expect(relativeSpread([90, 100, 110, 5000])).toBeCloseTo(10 / 105, 12);
});

// Abramowitz and Stegun (1964), tables 26.1 and 26.5.
test('normal distribution', () => {
  expect(normalCdf(0)).toBe(0.5);
  expect(normalCdf(1)).toBeCloseTo(0.841344746068543, 14);
  expect(normalCdf(-3) / 0.001349898031630095).toBeCloseTo(1, 12);
  expect(normalCdf(-6) / 9.865876450377018e-10).toBeCloseTo(1, 10);
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12);
  expect(normalQuantile(0.5)).toBeCloseTo(0, 12);
  expect(normalQuantile(1e-6)).toBeCloseTo(-4.753424308822899, 10);
  expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
  expect(() => normalQuantile(1.5)).toThrow('not 1.5');
});

test('random numbers are the same for a seed, uniform, and shuffles are fair', () => {
  const a = seededRandom(42);
  const b = seededRandom(42);
  const draws = Array.from({ length: 10000 }, () => a());
  expect(Array.from({ length: 10000 }, () => b())).toEqual(draws);
  expect(draws.reduce((s, x) => s + x, 0) / draws.length).toBeCloseTo(0.5, 1);
  const random = seededRandom(1);
  const seen = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const key = shuffle(random, [1, 2, 3]).join('');
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  expect(seen.size).toBe(6);
  for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});

// Coverage by simulation: how often does a nominal 95 % interval of the median hold the true one?
test.each([
  ['normal', (z: number) => z, 0],
  ['skewed (lognormal)', (z: number) => Math.exp(z), 1],
])('bootstrap intervals hold the true median of a %s distribution', (_name, shape, truth) => {
  const random = seededRandom(7);
  let held = 0;
  let width = 0;
  for (let i = 0; i < 300; i++) {
    const sample = Array.from({ length: 31 }, () => shape(randomNormal(random)));
    const { low, high } = bootstrap(sample, 0.95, i, 400);
    if (low <= truth && truth <= high) held++;
    width += high - low;
  }
  expect(held / 300).toBeGreaterThan(0.915);
  expect(held / 300).toBeLessThan(0.985);
  // The standard error of a normal median is 1.2533/sqrt(n); a skewed one is of that order too.
  expect(width / 300).toBeGreaterThan(0.6);
  expect(width / 300).toBeLessThan(1.5);
});

test('standard error of a mean', () => {
  // Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), table 2.1: the treated mice; 23.36 in the limit.
  const mice = [94, 197, 16, 38, 99, 141, 23];
  const mean = (x: readonly number[]): number => x.reduce((s, v) => s + v, 0) / x.length;
  const { estimate, error } = bootstrap(mice, 0.95, 1, 20000, mean);
  expect(estimate).toBeCloseTo(86.857, 3);
  expect(Math.abs(error - 23.36)).toBeLessThan(1);
});

test('BCa interval of a variance', () => {
  // The same book, tables 14.1 and 14.2: test A of 26 children; its BCa interval (90 %) is 115.8 to 259.6, where the plain
  // percentiles give 100.8 to 233.9.
  const a = [48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41];
  const variance = (x: readonly number[]): number => {
    const mean = x.reduce((s, v) => s + v, 0) / x.length;
    return x.reduce((s, v) => s + (v - mean) ** 2, 0) / x.length;
  };
  const { estimate, low, high } = bootstrap(a, 0.9, 1, 20000, variance);
  expect(estimate).toBeCloseTo(171.5, 1);
  expect(Math.abs(low - 115.8)).toBeLessThan(3);
  expect(Math.abs(high - 259.6)).toBeLessThan(4);
});

test('an interval needs two values, and is the same for a seed', () => {
  expect(() => bootstrap([1])).toThrow('at least two values, not 1');
  expect(bootstrap([1, 2, 3, 4, 9], 0.95, 5)).toEqual(bootstrap([1, 2, 3, 4, 9], 0.95, 5));
  expect(bootstrap([2, 2, 2, 2])).toMatchObject({ estimate: 2, low: 2, high: 2, error: 0 });
});

test('Holm', () => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  [0.03, 0.06, 0.06, 0.02].forEach((p, i) => {
    expect(adjusted[i]).toBeCloseTo(p, 12);
  });
  expect(holm([0.9, 0.8])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});

test('Pettitt finds the step of a warm-up and leaves steady noise alone', () => {
  const random = seededRandom(11);
  const noise = (): number => 100 + randomNormal(random);
  const step = [...Array.from({ length: 10 }, () => noise() * 1.5), ...Array.from({ length: 14 }, noise)];
  const { at, p, ratio } = changePoint(step);
  expect(Math.abs(at - 10)).toBeLessThanOrEqual(2);
  expect(p).toBeLessThan(0.01);
  expect(ratio).toBeCloseTo(1 / 1.5, 1);
  expect(settled(step, 0.02)).toBe(false);
  let quiet = 0;
  for (let i = 0; i < 200; i++) if (settled(Array.from({ length: SETTLE_WINDOW }, noise), 0)) quiet++;
  expect(quiet).toBeGreaterThan(180);
  expect(settled([1, 2, 3], 1)).toBe(false);
  expect(() => changePoint([1])).toThrow(RangeError);
});
