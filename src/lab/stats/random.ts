/** Seeded pseudo-random numbers for simulations, resampling and random orders: the same on every machine. */

/** A stream of numbers in [0, 1), uniform, 32 bits each. */
export type Random = () => number;

/**
 * sfc32 (C. Doty-Humphrey, PractRand): 128 bits of state, passes the usual batteries.
 * @param seed  any 32-bit integer
 */
export function seededRandom(seed: number): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed | 0;
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
  // The first outputs of close seeds are alike.
  for (let i = 0; i < 15; i++) next();
  return next;
}

/** An integer from 0 to n - 1. */
export function randomInt(random: Random, n: number): number {
  return Math.floor(random() * n);
}

/** Puts `items` into random order, in place (Fisher and Yates). */
export function shuffle<T>(random: Random, items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = randomInt(random, i + 1);
    const kept = items[i] as T;
    items[i] = items[j] as T;
    items[j] = kept;
  }
  return items;
}

/** A standard normal number (Box and Muller). */
export function randomNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
