/**
 * The Observation line, as litmus tools print it (herd7, LKMM): Always, Sometimes or Never, how many with and without,
 * here with the percentage and its 95 % Wilson interval.
 */
import { wilsonInterval } from './stats/wilson.ts';

/** A proportion in percent: two decimals, below 0.1 % two digits that count. */
export function percent(proportion: number): string {
  const value = proportion * 100;
  if (value === 0 || value === 100) return String(value);
  if (value >= 0.1) return value.toFixed(2);
  return value.toPrecision(2).replace(/e.*$/, '') === value.toPrecision(2) ? value.toPrecision(2) : value.toExponential(1);
}

/**
 * E.g. `Observation ksm-exit Sometimes 1234 998766 (0.12% [0.12,0.13])`.
 * @param positive  trials in which it was seen
 */
export function observation(name: string, positive: number, trials: number): string {
  const negative = trials - positive;
  const word = positive === 0 ? 'Never' : negative === 0 ? 'Always' : 'Sometimes';
  const { low, high } = wilsonInterval(positive, trials);
  const share = trials === 0 ? 0 : positive / trials;
  return `Observation ${name} ${word} ${positive} ${negative} (${percent(share)}% [${percent(low)},${percent(high)}])`;
}
