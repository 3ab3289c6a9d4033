/**
 * What a maple tree means, said as plainly as possible: a sorted array of ranges that covers every index. The answers of the tree are
 * checked against it.
 */
import { ULONG_MAX } from '../../kernel/include/mm_types.ts';

/** A maximal range of one store; entry 0 is NULL. */
export interface Range {
  first: number;
  last: number;
  entry: number;
}

/** A map from every index to an entry or NULL. */
export class RangeModel {
  /** Ascending, without holes; no two NULL ranges in a row. */
  #ranges: Range[] = [{ first: 0, last: ULONG_MAX, entry: 0 }];

  /** The ranges that have an entry. */
  entries(): Range[] {
    return this.#ranges.filter((range) => range.entry !== 0);
  }

  /** Place of the range that holds `index`. */
  #at(index: number): number {
    let low = 0;
    let high = this.#ranges.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle] as Range).last < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The range, of an entry or NULL, that holds `index`. */
  around(index: number): Range {
    return this.#ranges[this.#at(index)] as Range;
  }

  /** Sets `first`..`last` to `entry`. */
  store(first: number, last: number, entry: number): void {
    const from = this.#at(first);
    const to = this.#at(last);
    const head = this.#ranges[from] as Range;
    const tail = this.#ranges[to] as Range;
    const put: Range[] = [{ first, last, entry }];
    if (head.first < first) put.unshift({ ...head, last: first - 1 });
    if (tail.last > last) put.push({ ...tail, first: last + 1 });
    this.#ranges.splice(from, to - from + 1, ...put);
    for (let i = Math.max(1, from - 1); i < this.#ranges.length && i <= from + 3; i++) {
      const before = this.#ranges[i - 1] as Range;
      const range = this.#ranges[i] as Range;
      if (before.entry !== 0 || range.entry !== 0) continue;
      before.last = range.last;
      this.#ranges.splice(i--, 1);
    }
  }

  /** True when all of `first`..`last` is NULL. */
  isFree(first: number, last: number): boolean {
    const range = this.around(first);
    return range.entry === 0 && range.last >= last;
  }

  /** The first range with an entry that begins behind `index` and at or below `max`. */
  after(index: number, max: number): Range | undefined {
    for (let i = this.#at(index) + 1; i < this.#ranges.length; i++) {
      const range = this.#ranges[i] as Range;
      if (range.first > max) return undefined;
      if (range.entry !== 0) return range;
    }
    return undefined;
  }

  /** The range with an entry that holds `index`, or the first one after it that begins at or below `max`. */
  find(index: number, max: number): Range | undefined {
    if (index > max) return undefined;
    const range = this.around(index);
    return range.entry !== 0 ? range : this.after(index, max);
  }

  /** The nearest range with an entry below the range around `index` that ends at or above `min`. */
  before(index: number, min: number): Range | undefined {
    for (let i = this.#at(index) - 1; i >= 0; i--) {
      const range = this.#ranges[i] as Range;
      if (range.last < min) return undefined;
      if (range.entry !== 0) return range;
    }
    return undefined;
  }

  /** First index of the lowest or highest run of `size` NULLs inside `min`..`max`; -1 when there is none. */
  gap(min: number, max: number, size: number, highest: boolean): number {
    let found = -1;
    for (const range of this.#ranges) {
      if (range.entry !== 0 || range.last < min || range.first > max) continue;
      const first = Math.max(range.first, min);
      const last = Math.min(range.last, max);
      if (last - first < size - 1) continue;
      if (!highest) return first;
      found = last - size + 1;
    }
    return found;
  }
}
