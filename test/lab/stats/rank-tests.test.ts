import { expect, test } from 'vitest';
import { randomNormal, seededRandom } from '../../../src/lab/stats/random.ts';
import { mannWhitney, wilcoxonSignedRank } from '../../../src/lab/stats/rank-tests.ts';

/** n differences without ties whose positive ranks sum up to `plus`. */
function differencesWith(n: number, plus: number): number[] {
  const out: number[] = [];
  let left = plus;
  for (let r = n; r >= 1; r--) {
    const positive = r <= left;
    if (positive) left -= r;
    out.push(positive ? r : -r);
  }
  return out;
}

// Critical values of T, two-sided 5 %: Wilcoxon and Wilcox, "Some rapid approximate statistical procedures" (1964).
test.each([
  [6, 0],
  [7, 2],
  [8, 3],
  [9, 5],
  [10, 8],
  [12, 13],
  [15, 25],
  [20, 52],
  [25, 89],
  [30, 137],
  [40, 264],
  [50, 434],
])('signed rank test of %i pairs: T = %i is the last below 5 %%', (n, critical) => {
  expect(wilcoxonSignedRank(differencesWith(n, critical)).p).toBeLessThanOrEqual(0.05);
  expect(wilcoxonSignedRank(differencesWith(n, critical + 1)).p).toBeGreaterThan(0.05);
  const upper = (n * (n + 1)) / 2 - critical;
  expect(wilcoxonSignedRank(differencesWith(n, upper)).p).toBeCloseTo(wilcoxonSignedRank(differencesWith(n, critical)).p, 12);
});

test('signed rank test: depression scale factors (Hollander and Wolfe, 1973, p. 29)', () => {
  const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3];
  const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
  const { statistic, p } = wilcoxonSignedRank(before.map((b, i) => b - (after[i] as number)));
  expect(statistic).toBe(40);
  expect(p).toBeCloseTo(0.0390625, 10);
});

/** Two samples without ties in which the first has the larger value in `u` pairs. */
function samplesWith(m: number, n: number, u: number): [number[], number[]] {
  const first = Array.from({ length: m }, (_, i) => {
    const beaten = Math.min(n, Math.max(0, u - i * n));
    return beaten + 0.001 * (m - i) + 0.5;
  });
  return [first, Array.from({ length: n }, (_, i) => i + 1)];
}

// Critical values of U, two-sided 5 %: the usual table after Mann and Whitney (1947).
test.each([
  [4, 4, 0],
  [5, 8, 6],
  [8, 8, 13],
  [10, 10, 23],
  [12, 15, 49],
  [20, 20, 127],
])('rank sum test of %i and %i values: U = %i is the last below 5 %%', (m, n, critical) => {
  const [first, second] = samplesWith(m, n, critical);
  expect(mannWhitney(first, second).statistic).toBe(critical);
  expect(mannWhitney(first, second).p).toBeLessThanOrEqual(0.05);
  expect(mannWhitney(...samplesWith(m, n, critical + 1)).p).toBeGreaterThan(0.05);
});

test('rank sum test: permeability of membranes (Hollander and Wolfe, 1973, p. 69)', () => {
  const term = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
  const early = [1.15, 0.88, 0.9, 0.74, 1.21];
  const { statistic, p } = mannWhitney(term, early);
  expect(statistic).toBe(35);
  expect(p).toBeCloseTo(0.2544, 4);
});

test('the normal approximations agree with the exact tests', () => {
  const random = seededRandom(3);
  const differences = Array.from({ length: 50 }, () => randomNormal(random) + 0.25);
  const exact = wilcoxonSignedRank(differences).p;
  // The same values twice are ties: twice the weight, so compare with one tie added to the 50 instead.
  const tied = wilcoxonSignedRank([...differences, differences[0] as number]).p;
  expect(Math.abs(Math.log(tied / exact))).toBeLessThan(0.5);
  const a = Array.from({ length: 25 }, () => randomNormal(random));
  const b = Array.from({ length: 25 }, () => randomNormal(random) + 0.6);
  const exactU = mannWhitney(a, b).p;
  const tiedU = mannWhitney([...a, a[0] as number], b).p;
  expect(Math.abs(Math.log(tiedU / exactU))).toBeLessThan(0.5);
});

test('nothing to rank', () => {
  expect(wilcoxonSignedRank([0, 0, 0]).p).toBe(1);
  expect(mannWhitney([1, 1], [1, 1]).p).toBe(1);
  expect(() => mannWhitney([], [1])).toThrow(RangeError);
});
