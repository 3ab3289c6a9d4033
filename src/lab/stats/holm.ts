/**
 * Holm's correction: with many comparisons some are "significant" by chance alone.
 *
 * S. Holm, "A simple sequentially rejective multiple test procedure" (Scand. J. Statistics 6, 1979). Uniformly stronger
 * than Bonferroni's and, like it, right for tests that depend on each other.
 */

/** Adjusted p values, in the order of `p`: reject where they are at most the level wanted for all together. */
export function holm(p: readonly number[]): number[] {
  const order = p.map((_, i) => i).sort((a, b) => (p[a] as number) - (p[b] as number));
  const adjusted = new Array<number>(p.length);
  let least = 0;
  order.forEach((i, place) => {
    least = Math.max(least, Math.min(1, (p.length - place) * (p[i] as number)));
    adjusted[i] = least;
  });
  return adjusted;
}
