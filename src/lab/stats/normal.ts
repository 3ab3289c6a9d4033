/** The normal distribution: its cumulative function and its quantiles. */

/**
 * P(X <= x) of a standard normal X, to about 1e-15.
 * The series of G. Marsaglia, "Evaluating the Normal Distribution" (J. Stat. Software 11, 2004) in the middle, the
 * continued fraction of the tail outside.
 */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  const a = Math.abs(x);
  const density = Math.exp((-a * a) / 2) / Math.sqrt(2 * Math.PI);
  if (a > 5) {
    let fraction = a;
    for (let k = 60; k > 0; k--) fraction = a + k / fraction;
    const tail = density / fraction;
    return x > 0 ? 1 - tail : tail;
  }
  let term = a;
  let sum = a;
  for (let k = 3; term > 1e-17 * sum; k += 2) {
    term *= (a * a) / k;
    sum += term;
  }
  const half = density * sum;
  return x >= 0 ? 0.5 + half : 0.5 - half;
}

/** The x with P(X <= x) = p, by bisection and Newton on {@link normalCdf}. 0 gives -Infinity, 1 Infinity. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a probability is from 0 to 1, not ${p}`);
  if (p === 0) return Number.NEGATIVE_INFINITY;
  if (p === 1) return Number.POSITIVE_INFINITY;
  // The lower half only: there the tail keeps its relative precision.
  if (p > 0.5) return -normalQuantile(1 - p);
  let low = -40;
  let high = 0;
  for (let i = 0; i < 12; i++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  let x = (low + high) / 2;
  for (let i = 0; i < 8; i++) {
    const step = ((normalCdf(x) - p) * Math.sqrt(2 * Math.PI)) / Math.exp((-x * x) / 2);
    x -= step;
    if (Math.abs(step) < 1e-14 * Math.max(1, Math.abs(x))) break;
  }
  return x;
}
