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
