/**
 * Random numbers that are the same on every machine and Node version: xoshiro128** (Blackman and Vigna, 2018) over 32-bit
 * integers, its state filled by splitmix32 from a campaign's seed and the number of the schedule.
 */

function splitmix(state: number): number {
  let z = (state + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) | 0;
}

export class Random {
  private a = 1;
  private b = 2;
  private c = 3;
  private d = 4;

  /**
   * Starts the stream of schedule `index` of campaign `seed`.
   * @param seed  0 to 2^53 - 1
   */
  seed(seed: number, index: number): void {
    let s = splitmix(seed | 0) ^ splitmix(Math.floor(seed / 2 ** 32) ^ 0x5bd1e995) ^ Math.imul(splitmix(index), 0x9e3779b1);
    s = splitmix(s);
    this.a = s;
    s = splitmix(s + 0x3c6ef372);
    this.b = s;
    s = splitmix(s ^ index);
    this.c = s;
    this.d = splitmix(s) | 1;
  }

  /** 32 random bits as a signed integer. */
  next(): number {
    const { a, b, c, d } = this;
    const x = Math.imul(b, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9);
    const t = b << 9;
    const c1 = c ^ a;
    const d1 = d ^ b;
    this.b = b ^ c1;
    this.a = a ^ d1;
    this.c = c1 ^ t;
    this.d = (d1 << 11) | (d1 >>> 21);
    return result;
  }

  /** Uniform in 0 .. n - 1, for n up to 2^31; the bias is below n / 2^32. */
  below(n: number): number {
    return Math.floor((this.next() >>> 0) * 2 ** -32 * n);
  }
}
