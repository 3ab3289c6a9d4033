/** Sets of tasks as bits of a number. */

/** The `n`-th set bit of `mask`, from 0. */
export function nthBit(mask: number, n: number): number {
  let left = mask;
  for (let i = 0; i < n; i++) left &= left - 1;
  return 31 - Math.clz32(left & -left);
}

/** The lowest set bit; -1 for none. */
export function lowestBit(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}

/** Number of set bits. */
export function countBits(mask: number): number {
  let n = 0;
  for (let left = mask; left !== 0; left &= left - 1) n++;
  return n;
}

/** One of the bits of `mask`, drawn with the weight that stands at its number; every weight is at least 1. */
export function weighted(mask: number, weights: Int32Array, random: { below(n: number): number }): number {
  let sum = 0;
  for (let left = mask; left !== 0; left &= left - 1) sum += weights[lowestBit(left)] as number;
  let at = random.below(sum);
  for (let left = mask; left !== 0; left &= left - 1) {
    const t = lowestBit(left);
    at -= weights[t] as number;
    if (at < 0) return t;
  }
  return lowestBit(mask);
}
