/**
 * What paired measurements say of two subjects: a ratio, its interval, a rank test, and a verdict in words.
 *
 * Each pair is one measurement of the baseline and one of the variant, taken close together; only the logarithm
 * of their ratio counts, so that a machine that slows down for a while slows both.
 */
import { bootstrap } from './bootstrap.ts';
import { holm } from './holm.ts';
import { normalQuantile } from './normal.ts';
import { wilcoxonSignedRank } from './rank-tests.ts';

export interface PairedComparison {
  /** Variant over baseline: the median over the pairs. */
  ratio: number;
  /** 95 % interval of the ratio (BCa bootstrap). */
  ciLow: number;
  ciHigh: number;
  /** Two-sided, Wilcoxon's signed rank test. */
  p: number;
  pairs: number;
  /** Standard error of the logarithm of the ratio. */
  error: number;
}

/** `unclear`: the interval leaves 1 out and the rank test sees nothing, or the other way round. */
export type Verdict = 'slower' | 'faster' | 'unclear' | 'no difference';

/** A comparison among others. */
export interface JudgedComparison extends PairedComparison {
  /** p after Holm's correction over all comparisons judged together. */
  pHolm: number;
  verdict: Verdict;
  /** The smallest effect that this many pairs, this noisy, show four times in five: 0.02 is 2 %. */
  detectable: number;
}

/** All comparisons together are wrong about a difference that is none in at most this share of runs. */
const LEVEL = 0.05;
/** Chance to see an effect of the size `detectable`. */
const POWER = 0.8;

/**
 * @param baseline  one value per pair, all above 0
 * @param variant  the other half of the pairs, in the same order
 * @param seed  of the bootstrap
 * @throws RangeError for less than two pairs, or values that are not above 0
 */
export function comparePairs(baseline: readonly number[], variant: readonly number[], seed = 1): PairedComparison {
  if (baseline.length !== variant.length) throw new RangeError(`${baseline.length} baseline values cannot pair with ${variant.length}`);
  const logs = baseline.map((b, i) => Math.log((variant[i] as number) / b));
  if (!logs.every(Number.isFinite)) throw new RangeError('a ratio needs values above 0');
  const { estimate, low, high, error } = bootstrap(logs, 1 - LEVEL, seed);
  return {
    ratio: Math.exp(estimate),
    ciLow: Math.exp(low),
    ciHigh: Math.exp(high),
    p: wilcoxonSignedRank(logs).p,
    pairs: logs.length,
    error,
  };
}

/**
 * Judges comparisons that belong together. A difference needs both the rank test after Holm's correction and an interval
 * that leaves 1 out: the one looks at the signs and ranks of all pairs, the other at the size.
 */
export function judge(comparisons: readonly PairedComparison[]): JudgedComparison[] {
  const adjusted = holm(comparisons.map((c) => c.p));
  const z = normalQuantile(1 - LEVEL / 2 / Math.max(1, comparisons.length)) + normalQuantile(POWER);
  return comparisons.map((c, i) => {
    const pHolm = adjusted[i] as number;
    const apart = c.ciLow > 1 || c.ciHigh < 1;
    let verdict: Verdict = 'no difference';
    if (pHolm < LEVEL && apart) verdict = c.ciLow > 1 ? 'slower' : 'faster';
    else if (pHolm < LEVEL || apart) verdict = 'unclear';
    return { ...c, pHolm, verdict, detectable: Math.exp(z * c.error) - 1 };
  });
}

/** Does the comparison claim a difference? */
export function isDifference(verdict: Verdict): boolean {
  return verdict === 'slower' || verdict === 'faster';
}

/** The verdict with its size, e.g. `slower by 1.8 %` or `no difference above 0.6 %`. */
export function verdictText(c: JudgedComparison): string {
  const percent = (x: number): string => `${(100 * x).toFixed(x < 0.1 ? 1 : 0)} %`;
  if (c.verdict === 'no difference') return `no difference above ${percent(c.detectable)}`;
  if (c.verdict === 'unclear') return 'unclear: interval and rank test disagree';
  return `${c.verdict} by ${percent(Math.abs(c.ratio - 1))}`;
}
