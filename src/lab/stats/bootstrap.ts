/**
 * Bootstrap interval of a median, bias-corrected and accelerated (BCa).
 *
 * B. Efron, "Better bootstrap confidence intervals" (JASA 82, 1987). The acceleration comes from the jackknife.
 * A median's jackknife has two or three distinct values only; that makes the acceleration 0 in nearly all samples, and
 * the interval is then the bias-corrected one, as Efron notes for quantiles.
 */
import { median, quantileSorted, sorted } from './median.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import { type Random, randomInt, seededRandom } from './random.ts';
import type { Interval } from './wilson.ts';

/** What the bootstrap says of an estimate. */
export interface BootstrapResult extends Interval {
  /** The statistic of the sample itself. */
  estimate: number;
  /** Its standard error, half the distance between the 16 % and 84 % quantiles: outliers do not blow it up. */
  error: number;
}

/** Resamples that make the ends of a 95 % interval steady to a few per cent of its width. */
export const RESAMPLES = 2000;

/** The share of values below `x`, ties counted half. */
function shareBelow(ascending: readonly number[], x: number): number {
  let below = 0;
  let equal = 0;
  for (const value of ascending) {
    if (value < x) below++;
    else if (value === x) equal++;
  }
  return (below + equal / 2) / ascending.length;
}

/** Acceleration: the skewness of the jackknife values, divided by 6. */
function acceleration(sample: readonly number[], statistic: (sample: readonly number[]) => number): number {
  const left = sample.map((_, i) => statistic(sample.toSpliced(i, 1)));
  const mean = left.reduce((sum, x) => sum + x, 0) / left.length;
  let squares = 0;
  let cubes = 0;
  for (const x of left) {
    squares += (mean - x) ** 2;
    cubes += (mean - x) ** 3;
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

/**
 * Interval of a statistic of one sample (of pairs' differences, say).
 * @param level  e.g. 0.95
 * @param seed  of the resampling: the same sample gives the same interval
 * @throws RangeError for less than two values
 */
export function bootstrap(
  sample: readonly number[],
  level = 0.95,
  seed = 1,
  resamples: number = RESAMPLES,
  statistic: (sample: readonly number[]) => number = median,
): BootstrapResult {
  if (sample.length < 2) throw new RangeError(`an interval needs at least two values, not ${sample.length}`);
  const random: Random = seededRandom(seed);
  const estimate = statistic(sample);
  const drawn = new Array<number>(sample.length);
  const replicas = new Array<number>(resamples);
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < drawn.length; i++) drawn[i] = sample[randomInt(random, sample.length)] as number;
    replicas[r] = statistic(drawn);
  }
  const ascending = sorted(replicas);
  // With every replica on one side the correction would be infinite; half a replica is the least that can be told.
  const share = Math.min(1 - 0.5 / resamples, Math.max(0.5 / resamples, shareBelow(ascending, estimate)));
  const bias = normalQuantile(share);
  const a = acceleration(sample, statistic);
  const end = (p: number): number => {
    const z = bias + normalQuantile(p);
    return quantileSorted(ascending, normalCdf(bias + z / (1 - a * z)));
  };
  return {
    estimate,
    low: end((1 - level) / 2),
    high: end((1 + level) / 2),
    error: (quantileSorted(ascending, normalCdf(1)) - quantileSorted(ascending, normalCdf(-1))) / 2,
  };
}
