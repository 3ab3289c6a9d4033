/** Order statistics: medians, quantiles and a spread that outliers do not move. */

/** The sample in ascending order; the argument stays as it is. */
export function sorted(sample: readonly number[]): number[] {
  return Float64Array.from(sample).sort() as unknown as number[];
}

/**
 * Quantile `q` of a sample that is sorted, by linear interpolation (type 7 of Hyndman and Fan, 1996).
 * @returns NaN for an empty sample
 */
export function quantileSorted(ascending: ArrayLike<number>, q: number): number {
  if (ascending.length === 0) return Number.NaN;
  const at = q * (ascending.length - 1);
  const below = Math.floor(at);
  const low = ascending[below] as number;
  const high = ascending[Math.min(below + 1, ascending.length - 1)] as number;
  return low + (high - low) * (at - below);
}

/** Quantile `q` of a sample in any order. */
export function quantile(sample: readonly number[], q: number): number {
  return quantileSorted(sorted(sample), q);
}

/** The middle value, or the mean of the two in the middle. */
export function median(sample: readonly number[]): number {
  return quantile(sample, 0.5);
}

/** Median absolute deviation from the median, relative to it: 0.02 means that half of the values lie within 2 %. */
export function relativeSpread(sample: readonly number[]): number {
  const middle = median(sample);
  return middle === 0 ? 0 : median(sample.map((x) => Math.abs(x - middle))) / Math.abs(middle);
}
