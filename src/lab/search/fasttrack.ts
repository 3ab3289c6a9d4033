/**
 * Data races on plain accesses: C. Flanagan, S. Freund, "FastTrack: Efficient and Precise Dynamic Race Detection", PLDI 2009.
 *
 * Each task has a vector clock; each lock, and each word that is accessed by READ_ONCE, WRITE_ONCE or atomics, the clock of
 * its last release. Each word has the epoch (task and time) of its last write, and of its last read, or a whole vector
 * once reads are concurrent. Two accesses race when neither happened before the other, one of them writes, and one of them is plain.
 * Precise for the first race on a word in the schedule that was played.
 *
 * Departures: a reader's release goes to a clock that only writers acquire. Marked accesses (READ_ONCE and the like) order as
 * acquire and release, which is what the Atomics under them do; in Linux they order less.
 */
import { POINT_FREE, POINT_RMW, POINT_WRITE } from '../../machine/points.ts';
import { currentFunction, functionInfo } from '../../machine/shadow-stack.ts';
import { onPlainAccess } from '../../machine/stepped/access.ts';
import { AddressTable } from './address-table.ts';
import { acquires, reads, releases } from './dependence.ts';
import type { Engine } from './engine.ts';
import type { Observer } from './observer.ts';

const MOST = 1 << 15;
const NOBODY = -1;
const MANY = -2;

/** Clock of releases of a lock or a marked word: by writers, and by readers. */
interface Released {
  readonly byWriters: Int32Array;
  readonly byReaders: Int32Array;
}

export class FastTrack implements Observer {
  private readonly engine: Engine;
  private readonly words = new AddressTable();
  private readonly syncs = new AddressTable();
  private readonly released: Released[] = [];
  private clocks: Int32Array[] = [];
  // Per word: last write and last read. A reader of MANY has a vector in `readers`.
  private readonly writer = new Int32Array(MOST);
  private readonly writeTime = new Int32Array(MOST);
  private readonly writeFn = new Int32Array(MOST);
  private readonly reader = new Int32Array(MOST);
  private readonly readTime = new Int32Array(MOST);
  private readonly readFn = new Int32Array(MOST);
  /** Bit 0: the last write was marked; bit 1: all reads since were. */
  private readonly marked = new Uint8Array(MOST);
  private readonly readers = new Map<number, Int32Array>();

  constructor(engine: Engine) {
    this.engine = engine;
    onPlainAccess((address, write) => this.access(address, write, false));
  }

  begin(tasks: number): void {
    this.words.clear();
    this.syncs.clear();
    this.readers.clear();
    if (this.clocks.length !== tasks) this.clocks = Array.from({ length: tasks }, () => new Int32Array(tasks));
    for (let t = 0; t < tasks; t++) {
      const clock = this.clocks[t] as Int32Array;
      clock.fill(0);
      clock[t] = 1;
    }
  }

  executed(task: number, kind: number, address: number): void {
    const clock = this.clocks[task] as Int32Array;
    const read = reads(kind);
    const isLock = acquires(kind) || releases(kind);
    if (!isLock) this.access(address, kind === POINT_WRITE || kind === POINT_RMW, true);
    const sync = this.releasedAt(address);
    if (!releases(kind) && kind !== POINT_WRITE) {
      join(clock, sync.byWriters);
      if (!read) join(clock, sync.byReaders);
    }
    if (releases(kind) || (!isLock && !read)) {
      join(read ? sync.byReaders : sync.byWriters, clock);
      clock[task] = (clock[task] as number) + 1;
    }
  }

  freed(task: number, object: number): void {
    this.executed(task, POINT_FREE, object + 1);
  }

  private releasedAt(address: number): Released {
    const known = this.syncs.count;
    const at = this.syncs.number(address);
    let sync = this.released[at];
    if (sync === undefined || sync.byWriters.length !== this.clocks.length) {
      sync = { byWriters: new Int32Array(this.clocks.length), byReaders: new Int32Array(this.clocks.length) };
      this.released[at] = sync;
    } else if (at === known) {
      sync.byWriters.fill(0);
      sync.byReaders.fill(0);
    }
    return sync;
  }

  private access(address: number, write: boolean, isMarked: boolean): void {
    const task = this.engine.current;
    if (task < 0) return;
    const known = this.words.count;
    const w = this.words.number(address & ~3);
    if (w === known) {
      this.writer[w] = NOBODY;
      this.reader[w] = NOBODY;
      this.marked[w] = 0;
    }
    const clock = this.clocks[task] as Int32Array;
    const time = clock[task] as number;
    if (write ? this.writer[w] === task && this.writeTime[w] === time : this.reader[w] === task && this.readTime[w] === time) {
      if (!isMarked) this.marked[w] = (this.marked[w] as number) & (write ? ~1 : ~2);
      return;
    }
    const writer = this.writer[w] as number;
    if (writer >= 0 && (this.writeTime[w] as number) > (clock[writer] as number) && !(isMarked && ((this.marked[w] as number) & 1) !== 0)) {
      this.race(write, address, this.writeFn[w] as number, true);
    }
    if (write) this.wrote(w, task, clock, address, isMarked);
    else this.read(w, task, clock, isMarked);
  }

  private read(w: number, task: number, clock: Int32Array, isMarked: boolean): void {
    const reader = this.reader[w] as number;
    if (!isMarked) this.marked[w] = (this.marked[w] as number) & ~2;
    else if (reader === NOBODY) this.marked[w] = (this.marked[w] as number) | 2;
    this.readFn[w] = currentFunction();
    if (reader === MANY) (this.readers.get(w) as Int32Array)[task] = clock[task] as number;
    else if (reader === NOBODY || (this.readTime[w] as number) <= (clock[reader] as number)) {
      this.reader[w] = task;
      this.readTime[w] = clock[task] as number;
    } else {
      const many = new Int32Array(this.clocks.length);
      many[reader] = this.readTime[w] as number;
      many[task] = clock[task] as number;
      this.readers.set(w, many);
      this.reader[w] = MANY;
    }
  }

  private wrote(w: number, task: number, clock: Int32Array, address: number, isMarked: boolean): void {
    const reader = this.reader[w] as number;
    const quiet = isMarked && ((this.marked[w] as number) & 2) !== 0;
    if (!quiet && reader >= 0 && (this.readTime[w] as number) > (clock[reader] as number)) {
      this.race(true, address, this.readFn[w] as number, false);
    } else if (!quiet && reader === MANY) {
      const many = this.readers.get(w) as Int32Array;
      if (many.some((time, t) => time > (clock[t] as number))) this.race(true, address, this.readFn[w] as number, false);
    }
    if (reader === MANY) {
      this.readers.delete(w);
      this.reader[w] = NOBODY;
    }
    this.writer[w] = task;
    this.writeTime[w] = clock[task] as number;
    this.writeFn[w] = currentFunction();
    this.marked[w] = isMarked ? (this.marked[w] as number) | 1 : (this.marked[w] as number) & ~1;
  }

  private race(write: boolean, address: number, otherFn: number, otherWrote: boolean): void {
    const name = (fn: number) => functionInfo(fn)?.name ?? 'a start';
    const here = `${name(currentFunction())} ${write ? 'writes' : 'reads'}`;
    const there = `${name(otherFn)} ${otherWrote ? 'writes' : 'reads'}`;
    const both = [here, there].sort().join(', ');
    this.engine.report('data-race', `data race: ${both}`, both, () => [
      `data race at 0x${address.toString(16)}: ${there}, then ${here}, in no order`,
    ]);
  }
}

function join(into: Int32Array, from: Int32Array): void {
  for (let t = 0; t < into.length; t++) if ((from[t] as number) > (into[t] as number)) into[t] = from[t] as number;
}
