/** The ranges that ordered maps are measured with: half of each stride is taken, the other half is free. */
import { randomInt, seededRandom, shuffle } from '../../src/lab/stats/random.ts';

export const STRIDE = 8192;

/** First indices of `n` ranges, in an order that is always the same. */
export function shuffledKeys(n: number): Float64Array {
  const keys = new Float64Array(n);
  const order = shuffle(
    seededRandom(n),
    Array.from({ length: n }, (_, i) => i),
  );
  for (let i = 0; i < n; i++) keys[i] = (order[i] as number) * STRIDE;
  return keys;
}

/** Lookups in a measured round: so many that no branch predictor learns them. */
const PROBES = 1 << 16;

/** First indices to look up, drawn from `n` ranges. */
export function randomKeys(n: number): Float64Array {
  const random = seededRandom(n + 1);
  return new Float64Array(PROBES).map(() => randomInt(random, n) * STRIDE);
}
