/** Numbers addresses from 0 in the order of their first use, and forgets them all in one step. */

const SIZE = 1 << 15;
const MASK = SIZE - 1;

export class AddressTable {
  private readonly keys = new Int32Array(SIZE);
  private readonly numbers = new Int32Array(SIZE);
  private readonly stamps = new Int32Array(SIZE);
  private stamp = 1;
  /** Addresses known now. */
  count = 0;

  /** Forgets all. */
  clear(): void {
    this.stamp++;
    this.count = 0;
  }

  /** The number of `address`; a new one is {@link count} before the call. Throws when more than 30000 are known. */
  number(address: number): number {
    const { keys, stamps, stamp } = this;
    for (let at = Math.imul(address, 0x9e3779b1) >>> 17; ; at = (at + 1) & MASK) {
      if (stamps[at] !== stamp) {
        if (this.count > 30_000) throw new RangeError('a schedule touches more than 30000 addresses');
        stamps[at] = stamp;
        keys[at] = address;
        this.numbers[at] = this.count;
        return this.count++;
      }
      if (keys[at] === address) return this.numbers[at] as number;
    }
  }
}
