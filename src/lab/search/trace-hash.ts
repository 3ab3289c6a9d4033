/**
 * The hash of a schedule's trace: the same for two schedules exactly when one comes from the other by swapping neighbours
 * that commute (A. Mazurkiewicz's traces), up to collisions of 64 bits.
 *
 * Every event's hash is made of its task's event before, its kind and address, and the events that it depends on through the
 * address; a trace's hash is the sum over its events, so the order of the schedule itself does not enter.
 */
import { POINT_FREE } from '../../machine/points.ts';
import { AddressTable } from './address-table.ts';
import { lifetimeOf, reads } from './dependence.ts';
import type { Observer } from './observer.ts';

function mix(h: number, v: number): number {
  let x = Math.imul(h ^ v, 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15) ^ (h << 7);
}

/** Most addresses that a schedule touches. */
const ADDRESSES = 1 << 15;

export class TraceHash implements Observer {
  /** The two halves of the hash so far. */
  low = 0;
  high = 0;
  private readonly table = new AddressTable();
  private readonly chainLow = new Int32Array(32);
  private readonly chainHigh = new Int32Array(32);
  /** Per address: hash of the last write, sum of the hashes of the reads since. */
  private readonly written = new Int32Array(ADDRESSES * 2);
  private readonly readSince = new Int32Array(ADDRESSES * 2);

  begin(tasks: number): void {
    this.low = 0;
    this.high = 0;
    this.table.clear();
    for (let t = 0; t < tasks; t++) {
      this.chainLow[t] = t + 1;
      this.chainHigh[t] = ~t;
    }
  }

  executed(task: number, kind: number, address: number): void {
    const { written, readSince } = this;
    const lifetime = lifetimeOf(address);
    const free = kind === POINT_FREE;
    const at = this.cellOf(free ? lifetime : address);
    const life = lifetime !== 0 && !free ? this.cellOf(lifetime) : -1;
    const what = Math.imul(address, 16) + kind;
    let low = mix(mix(this.chainLow[task] as number, what), written[at] as number);
    let high = mix(mix(this.chainHigh[task] as number, ~what), written[at + 1] as number);
    if (life >= 0) {
      low = mix(low, written[life] as number);
      high = mix(high, written[life + 1] as number);
    }
    const isRead = reads(kind);
    if (!isRead) {
      low = mix(low, readSince[at] as number);
      high = mix(high, readSince[at + 1] as number);
      written[at] = low;
      written[at + 1] = high;
      readSince[at] = 0;
      readSince[at + 1] = 0;
    }
    for (let cell = isRead ? at : life; cell >= 0; cell = cell === at ? life : -1) {
      readSince[cell] = (readSince[cell] as number) + low;
      readSince[cell + 1] = (readSince[cell + 1] as number) + high;
    }
    this.chainLow[task] = low;
    this.chainHigh[task] = high;
    this.low = (this.low + mix(low, high)) | 0;
    this.high = (this.high + mix(high, low)) | 0;
  }

  freed(task: number, object: number): void {
    this.executed(task, POINT_FREE, object);
  }

  /** Index of the address in the tables, cleared when it is new. */
  private cellOf(address: number): number {
    const known = this.table.count;
    const at = this.table.number(address) * 2;
    if (at === known * 2) {
      this.written[at] = 0;
      this.written[at + 1] = 0;
      this.readSince[at] = 0;
      this.readSince[at + 1] = 0;
    }
    return at;
  }

  /** 16 hexadecimal digits. */
  text(): string {
    return hashText(this.low, this.high);
  }

  /** 53 bits of it, for sets. */
  number(): number {
    return (this.high >>> 11) * 2 ** 32 + (this.low >>> 0);
  }
}

/** Two halves of a hash as 16 hexadecimal digits. */
export function hashText(low: number, high: number): string {
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0');
}
