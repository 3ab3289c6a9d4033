/**
 * The Wilson score interval of a proportion.
 *
 * Wilson, "Probable inference, the law of succession, and statistical inference" (JASA 22, 1927): unlike the usual
 * p ± z·sqrt(p(1-p)/n) it stays within 0 to 1 and has a sensible width when 0 or all of the trials hit.
 */

/** Both ends of an interval. */
export interface Interval {
  low: number;
  high: number;
}

/** The two-sided 95 % quantile of the normal distribution. */
export const Z_95 = 1.959963984540054;

/**
 * Interval for the chance behind `hits` successes in `trials` tries.
 * @param z  quantile of the normal distribution; 1.96 for 95 %
 * @returns 0 to 1 when there were no trials: nothing is known
 * @throws RangeError when the counts are negative or there are more hits than trials
 */
export function wilsonInterval(hits: number, trials: number, z: number = Z_95): Interval {
  if (!(hits >= 0 && trials >= hits)) throw new RangeError(`a proportion needs 0 <= hits <= trials, not ${hits} of ${trials}`);
  if (trials === 0) return { low: 0, high: 1 };
  const p = hits / trials;
  const zz = (z * z) / trials;
  const center = (p + zz / 2) / (1 + zz);
  const half = (z / (1 + zz)) * Math.sqrt((p * (1 - p)) / trials + zz / (4 * trials));
  // Exact at the ends, where rounding would leave 1e-17.
  return { low: hits === 0 ? 0 : Math.max(0, center - half), high: hits === trials ? 1 : Math.min(1, center + half) };
}
