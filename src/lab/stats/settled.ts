/**
 * Has a series of timings settled? Pettitt's test for a change point.
 *
 * A. N. Pettitt, "A non-parametric approach to the change-point problem" (Applied Statistics 28, 1979). Code that the
 * optimiser has not finished shows a step (or a slope) in its timings; noise and single outliers do not, since only
 * ranks count.
 */
import { median } from './median.ts';

export interface ChangePoint {
  /** The first value after the change. */
  at: number;
  /** Chance of so clear a step in a series without one; Pettitt's approximation, good below 0.5. */
  p: number;
  /** Median after the step over the median before it. */
  ratio: number;
}

/**
 * The clearest step in a series.
 * @throws RangeError for less than two values
 */
export function changePoint(series: readonly number[]): ChangePoint {
  const n = series.length;
  if (n < 2) throw new RangeError(`a change needs at least two values, not ${n}`);
  let u = 0;
  let most = 0;
  let at = 1;
  for (let t = 0; t < n - 1; t++) {
    for (let j = 0; j < n; j++) u += Math.sign((series[t] as number) - (series[j] as number));
    if (Math.abs(u) > most) {
      most = Math.abs(u);
      at = t + 1;
    }
  }
  return {
    at,
    p: Math.min(1, 2 * Math.exp((-6 * most * most) / (n ** 3 + n ** 2))),
    ratio: median(series.slice(at)) / median(series.slice(0, at)),
  };
}

/** Values looked at: fewer cannot show a step at the level asked for. */
export const SETTLE_WINDOW = 24;

/**
 * True when the last {@link SETTLE_WINDOW} values show no step: none that ranks can tell (p below 0.05), or a
 * smaller one than `tolerance`.
 */
export function settled(series: readonly number[], tolerance: number): boolean {
  if (series.length < SETTLE_WINDOW) return false;
  const { p, ratio } = changePoint(series.slice(-SETTLE_WINDOW));
  return p > 0.05 || Math.abs(ratio - 1) < tolerance;
}
