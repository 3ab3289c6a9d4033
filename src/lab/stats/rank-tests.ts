/**
 * Rank tests: Wilcoxon's signed rank test for pairs, Mann and Whitney's for two independent samples.
 *
 * Wilcoxon, "Individual comparisons by ranking methods" (Biometrics Bulletin 1, 1945); Mann and Whitney (Annals of
 * Mathematical Statistics 18, 1947). Exact where there are no ties and the samples are small, else the normal
 * approximation with the correction for ties and for continuity. Two-sided.
 */
import { normalCdf } from './normal.ts';

export interface RankTest {
  /** W+ (sum of the ranks of positive differences) or U (of the first sample). */
  statistic: number;
  /** Two-sided. */
  p: number;
}

/** Largest number of pairs, and of values in both samples together, for an exact p. */
const EXACT_PAIRS = 50;
const EXACT_VALUES = 50;

/** Ranks from 1, ties share their mean; and the sum of t³ - t over groups of ties. */
function rank(values: readonly number[]): { ranks: number[]; ties: number } {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Array<number>(values.length);
  let ties = 0;
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end++;
    for (let i = start; i < end; i++) ranks[order[i] as number] = (start + end + 1) / 2;
    ties += (end - start) ** 3 - (end - start);
    start = end;
  }
  return { ranks, ties };
}

/** Two-sided p of a statistic with a symmetric exact distribution, given how many of all outcomes give each value. */
function exactP(counts: Float64Array, statistic: number): number {
  let all = 0;
  let below = 0;
  let above = 0;
  for (let value = 0; value < counts.length; value++) {
    const count = counts[value] as number;
    all += count;
    if (value <= statistic) below += count;
    if (value >= statistic) above += count;
  }
  return Math.min(1, (2 * Math.min(below, above)) / all);
}

/** Two-sided p of a deviation from the mean, by the normal distribution with a correction for continuity. */
function normalP(deviation: number, variance: number): number {
  if (variance <= 0) return 1;
  return Math.min(1, 2 * normalCdf(-Math.max(0, Math.abs(deviation) - 0.5) / Math.sqrt(variance)));
}

/**
 * Are the differences of pairs centred on 0? Differences of exactly 0 are left out, as Wilcoxon does.
 * @returns p = 1 when there is nothing to rank
 */
export function wilcoxonSignedRank(differences: readonly number[]): RankTest {
  const moved = differences.filter((d) => d !== 0);
  const n = moved.length;
  if (n === 0) return { statistic: 0, p: 1 };
  const { ranks, ties } = rank(moved.map(Math.abs));
  let plus = 0;
  moved.forEach((d, i) => {
    if (d > 0) plus += ranks[i] as number;
  });
  if (ties === 0 && n <= EXACT_PAIRS) {
    // How many of the 2^n sign patterns give each sum of ranks.
    const counts = new Float64Array((n * (n + 1)) / 2 + 1);
    counts[0] = 1;
    for (let r = 1; r <= n; r++) {
      for (let sum = counts.length - 1; sum >= r; sum--) counts[sum] = (counts[sum] as number) + (counts[sum - r] as number);
    }
    return { statistic: plus, p: exactP(counts, plus) };
  }
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - ties / 48;
  return { statistic: plus, p: normalP(plus - (n * (n + 1)) / 4, variance) };
}

/** How many of the ways to interleave m and n values give each U: Mann and Whitney's recurrence. */
function mannWhitneyCounts(m: number, n: number): Float64Array {
  // The generating function is a Gaussian binomial: multiply by (1 - x^(n+i)), divide by (1 - x^i).
  const counts = new Float64Array(m * n + 1);
  counts[0] = 1;
  for (let i = 1; i <= m; i++) {
    for (let u = counts.length - 1; u >= n + i; u--) counts[u] = (counts[u] as number) - (counts[u - n - i] as number);
    for (let u = i; u < counts.length; u++) counts[u] = (counts[u] as number) + (counts[u - i] as number);
  }
  return counts;
}

/**
 * Does one of two independent samples tend to larger values?
 * @returns U of the first sample: pairs in which its value is the larger one, ties half
 * @throws RangeError when a sample is empty
 */
export function mannWhitney(first: readonly number[], second: readonly number[]): RankTest {
  const m = first.length;
  const n = second.length;
  if (m === 0 || n === 0) throw new RangeError('a rank test needs at least one value in each sample');
  const { ranks, ties } = rank([...first, ...second]);
  let sum = 0;
  for (let i = 0; i < m; i++) sum += ranks[i] as number;
  const u = sum - (m * (m + 1)) / 2;
  const all = m + n;
  if (ties === 0 && all <= EXACT_VALUES) return { statistic: u, p: exactP(mannWhitneyCounts(m, n), u) };
  const variance = ((m * n) / 12) * (all + 1 - ties / (all * (all - 1)));
  return { statistic: u, p: normalP(u - (m * n) / 2, variance) };
}
