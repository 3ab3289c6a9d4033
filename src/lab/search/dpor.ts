/**
 * Every trace once: source-DPOR with sleep sets.
 *
 * P. Abdulla, S. Aronis, B. Jonsson, K. Sagonas, "Optimal Dynamic Partial Order Reduction", POPL 2014 (algorithm 1), and
 * P. Godefroid's sleep sets. Each run goes on to its end; for each event e' and each earlier event e that it races with, the
 * run in which e' comes first is asked for at the state before e, by a task that can begin it (an initial).
 * No two complete runs are equivalent; some runs are cut because everything runnable is asleep.
 *
 * Departures: locks. An acquire that cannot go on is no event. An acquire races with the acquires before it that
 * exclude it, not with their releases, because those are never possible at the same time. A task that is still blocked at the
 * end of a run races with what blocks it.
 */
import { POINT_FREE, POINT_READ, POINT_WRITE } from '../../machine/points.ts';
import { AddressTable } from './address-table.ts';
import { countBits, lowestBit } from './bits.ts';
import { acquires, dependent, lifetimeOf, reads, releases, tries } from './dependence.ts';
import { type DporState, ROW } from './dpor-state.ts';
import type { Strategy, View } from './strategy.ts';

const NONE: readonly number[] = [];

/** Growing table of 32-bit numbers. */
class Column {
  data = new Int32Array(1024);
  reserve(length: number): void {
    if (length <= this.data.length) return;
    const bigger = new Int32Array(Math.max(length, this.data.length * 2));
    bigger.set(this.data);
    this.data = bigger;
  }
}

/** What happened at one address in this run. */
interface Cell {
  /** Last event that was no read; -1 for none. Lock operations apart: {@link acquired}. */
  write: number;
  /** Reads since then: last event of each task, -1 for none. */
  reads: Int32Array;
  /** Last exclusive acquire, and per task the last reader's acquire since. */
  acquired: number;
  readAcquired: Int32Array;
  /** Failed or successful tries since the last other write. */
  tried: Int32Array;
  /** Clocks to join: of all writes and releases, of all reads since. */
  writeClock: Int32Array;
  readClock: Int32Array;
}

/** Walks all traces: `run` the engine with this strategy until {@link advance} says no. */
export class Dpor implements Strategy {
  readonly alwaysAsk = true;
  /** Runs cut so far because everything runnable was asleep. */
  cuts = 0;
  private readonly tasks: number;
  /** Steps of the current run; frame i is the state before step i. */
  private depth = 0;
  /** Frames below are other walks' to change. */
  private base = 0;
  /** Frames kept from the run before, and the last of them, whose step is another one now: new events begin there. */
  private kept = 0;
  private changed = 0;
  private resumed = false;
  // Per frame.
  private readonly chosen = new Column();
  private readonly runnable = new Column();
  private readonly backtrack = new Column();
  private readonly sleep = new Column();
  /** Pending operation of each task, a row per frame. */
  private readonly kinds = new Column();
  private readonly addresses = new Column();
  /** Clock of each event: how many events of each task happened before it, itself included. */
  private readonly clocks = new Column();

  /** Objects that the step of a frame gave back. */
  private readonly gave: (readonly number[] | undefined)[] = [];
  /** The same for what each sleeper would do; place as in {@link kinds}. */
  private readonly sleeperGives = new Map<number, readonly number[]>();
  private readonly table = new AddressTable();
  private readonly cells: Cell[] = [];
  private readonly clock: Int32Array[];
  private readonly counts: Int32Array;
  /** Races of the event that is being looked at. */
  private readonly races: number[] = [];
  private readonly first = new Int32Array(ROW);
  private readonly firstEvent = new Int32Array(ROW);

  constructor(tasks: number) {
    this.tasks = tasks;
    this.clock = Array.from({ length: tasks }, () => new Int32Array(tasks));
    this.counts = new Int32Array(tasks);
  }

  begin(): void {
    this.depth = 0;
    this.table.clear();
    for (const clock of this.clock) clock.fill(0);
    this.counts.fill(0);
  }

  choose(view: View): number {
    const i = this.depth;
    if (i < this.kept) {
      if (this.resumed) this.notePending(i, view);
      return this.chosen.data[i] as number;
    }
    this.newFrame(i, view);
    const awake = view.runnable & ~(this.sleep.data[i] as number);
    if (awake === 0) {
      this.cuts++;
      return -1;
    }
    const current = view.current >= 0 && (awake & (1 << view.current)) !== 0 ? view.current : lowestBit(awake);
    this.chosen.data[i] = current;
    this.backtrack.data[i] = 1 << current;
    return current;
  }

  /** The state before step `i`, seen for the first time: what is pending, and who sleeps. */
  private newFrame(i: number, view: View): void {
    this.notePending(i, view);
    this.sleep.data[i] = i === 0 ? 0 : this.inherited(i - 1);
  }

  private notePending(i: number, view: View): void {
    for (const column of [this.chosen, this.runnable, this.backtrack, this.sleep]) column.reserve(i + 1);
    for (const column of [this.kinds, this.addresses, this.clocks]) column.reserve((i + 1) * ROW);
    for (let t = 0; t < this.tasks; t++) {
      this.kinds.data[i * ROW + t] = view.kind[t] as number;
      this.addresses.data[i * ROW + t] = view.address[t] as number;
    }
    this.runnable.data[i] = view.runnable;
  }

  /** Sleepers of frame `i` that the step made there does not wake. */
  private inherited(i: number): number {
    const made = i * ROW + (this.chosen.data[i] as number);
    const gave = this.gave[i] ?? NONE;
    let asleep = 0;
    for (let left = this.sleep.data[i] as number; left !== 0; left &= left - 1) {
      const t = lowestBit(left);
      const sleeper = i * ROW + t;
      const gives = this.sleeperGives.get(sleeper) ?? NONE;
      const wakes =
        this.disturbs(this.kinds.data[made] as number, this.addresses.data[made] as number, sleeper) ||
        gave.some((object) => this.disturbs(POINT_FREE, object, sleeper)) ||
        gives.some((object) => this.disturbs(POINT_FREE, object, made));
      if (wakes) continue;
      asleep |= 1 << t;
      if (gives.length > 0) this.sleeperGives.set(sleeper + ROW, gives);
      else this.sleeperGives.delete(sleeper + ROW);
    }
    return asleep;
  }

  /** Does an operation depend on the pending one at place `pending` of the tables? */
  private disturbs(kind: number, address: number, pending: number): boolean {
    return dependent(this.kinds.data[pending] as number, this.addresses.data[pending] as number, kind, address);
  }

  executed(task: number, view: View): void {
    const i = this.depth++;
    const kind = view.kind[task] as number;
    const address = view.address[task] as number;
    const lifetime = lifetimeOf(address);
    const cell = this.cellOf(address);
    const life = lifetime === 0 ? undefined : this.cellOf(lifetime);
    const clock = this.clock[task] as Int32Array;
    const isNew = i >= this.changed;
    this.gave[i] = undefined;
    this.races.length = 0;
    if (isNew) {
      this.racing(task, kind, cell);
      if (life !== undefined) this.racing(task, POINT_READ, life);
    }
    join(clock, cell.writeClock);
    if (!reads(kind)) join(clock, cell.readClock);
    if (life !== undefined) join(clock, life.writeClock);
    this.counts[task] = (this.counts[task] as number) + 1;
    clock[task] = this.counts[task] as number;
    if (isNew) this.clocks.data.set(clock, i * ROW);
    for (const e of this.races) this.reverse(e, i, task, clock);
    note(cell, kind, task, i, clock);
    if (life !== undefined) note(life, POINT_READ, task, i, clock);
  }

  /** The step that was announced last also gave an object back: part of that event. */
  freed(task: number, object: number): void {
    const i = this.depth - 1;
    if (i < 0) return;
    this.gave[i] = [...(this.gave[i] ?? NONE), object];
    const life = this.cellOf(lifetimeOf(object));
    const clock = this.clock[task] as Int32Array;
    const isNew = i >= this.changed;
    this.races.length = 0;
    if (isNew) this.racing(task, POINT_WRITE, life);
    join(clock, life.writeClock);
    join(clock, life.readClock);
    if (isNew) this.clocks.data.set(clock, i * ROW);
    for (const e of this.races) this.reverse(e, i, task, clock);
    note(life, POINT_WRITE, task, i, clock);
  }

  private cellOf(address: number): Cell {
    const known = this.table.count;
    const n = this.table.number(address);
    let cell = this.cells[n];
    if (cell === undefined) {
      const row = () => new Int32Array(this.tasks);
      cell = { write: -1, reads: row(), acquired: -1, readAcquired: row(), tried: row(), writeClock: row(), readClock: row() };
      this.cells.push(cell);
    }
    if (n === known) {
      cell.write = -1;
      cell.acquired = -1;
      cell.reads.fill(-1);
      cell.readAcquired.fill(-1);
      cell.tried.fill(-1);
      cell.writeClock.fill(0);
      cell.readClock.fill(0);
    }
    return cell;
  }

  /** Adds `e` to {@link races} if it is of another task and not ordered before what `task` does next. */
  private addRace(task: number, e: number): void {
    if (e < 0) return;
    const other = this.chosen.data[e] as number;
    const known = (this.clock[task] as Int32Array)[other] as number;
    if (other === task || known >= (this.clocks.data[e * ROW + other] as number)) return;
    if (!this.races.includes(e)) this.races.push(e);
  }

  /** Finds the earlier events that an operation of `task` races with: dependent, of another task, not ordered before it otherwise. */
  private racing(task: number, kind: number, cell: Cell): void {
    if (releases(kind)) {
      for (let t = 0; t < this.tasks; t++) this.addRace(task, cell.tried[t] as number);
      return;
    }
    if (acquires(kind)) {
      this.addRace(task, cell.acquired);
      if (!reads(kind)) for (let t = 0; t < this.tasks; t++) this.addRace(task, cell.readAcquired[t] as number);
      if (!tries(kind)) return;
    }
    let others = false;
    if (!reads(kind)) {
      for (let t = 0; t < this.tasks; t++) {
        this.addRace(task, cell.reads[t] as number);
        others ||= t !== task && (cell.reads[t] as number) >= 0;
      }
    }
    if (!others) this.addRace(task, cell.write);
  }

  /** Event `e` races with the event `at` of `task`: asks, at the state before `e`, for a run in which it comes later. */
  private reverse(e: number, at: number, task: number, clockAt: Int32Array): void {
    if (e < this.base) return;
    const { first, firstEvent } = this;
    const other = this.chosen.data[e] as number;
    const index = this.clocks.data[e * ROW + other] as number;
    first.fill(-1);
    let present = 0;
    for (let x = e + 1; x < at; x++) {
      if ((this.clocks.data[x * ROW + other] as number) >= index) continue;
      const t = this.chosen.data[x] as number;
      if ((present & (1 << t)) !== 0) continue;
      present |= 1 << t;
      firstEvent[t] = x;
      first[t] = this.clocks.data[x * ROW + t] as number;
    }
    const isInitial = (t: number, clock: (u: number) => number): boolean => {
      for (let left = present & ~(1 << t); left !== 0; left &= left - 1) {
        const u = lowestBit(left);
        if (clock(u) >= (first[u] as number)) return false;
      }
      return true;
    };
    let initials = 0;
    for (let left = present; left !== 0; left &= left - 1) {
      const t = lowestBit(left);
      const row = (firstEvent[t] as number) * ROW;
      if (isInitial(t, (u) => this.clocks.data[row + u] as number)) initials |= 1 << t;
    }
    if ((present & (1 << task)) === 0 && isInitial(task, (u) => clockAt[u] as number)) initials |= 1 << task;
    const asked = this.backtrack.data[e] as number;
    if ((asked & initials) !== 0) return;
    const possible = initials & (this.runnable.data[e] as number);
    if (possible === 0) this.backtrack.data[e] = asked | (this.runnable.data[e] as number);
    else this.backtrack.data[e] = asked | ((possible & (1 << task)) !== 0 ? 1 << task : possible & -possible);
  }

  /** After a deadlock: what each blocked task waits for races with what keeps it waiting. */
  deadlocked({ live, kind, address }: View): void {
    const i = this.depth;
    for (let left = live; left !== 0; left &= left - 1) {
      const t = lowestBit(left);
      const cell = this.cellOf(address[t] as number);
      this.races.length = 0;
      this.racing(t, kind[t] as number, cell);
      const clock = Int32Array.from(this.clock[t] as Int32Array);
      for (const e of this.races) this.reverse(e, i, t, clock);
    }
  }

  /**
   * How many runs there may be: the product of the branches met on the way of the last run (D. Knuth, "Estimating the
   * Efficiency of Backtrack Programs", 1975). A mean over many runs is worth something, and too low, as branches are still being added.
   */
  estimate(): number {
    let product = 1;
    for (let i = 0; i < this.depth; i++) product *= Math.max(1, countBits(this.backtrack.data[i] as number));
    return product;
  }

  /** Where the walk stands, between {@link advance} and the next run: enough to go on elsewhere. */
  state(): DporState {
    const { base, kept } = this;
    const column = ({ data }: Column) => Array.from(data.subarray(0, kept));
    const gave = this.gave.slice(0, kept - 1).flatMap((objects, frame) => (objects === undefined ? [] : [[frame, objects] as const]));
    return {
      base,
      chosen: column(this.chosen),
      runnable: column(this.runnable),
      backtrack: column(this.backtrack),
      sleep: column(this.sleep),
      gives: [...this.sleeperGives].filter(([at]) => at < kept * ROW).map(([at, objects]) => [at, [...objects]] as const),
      gave,
    };
  }

  /** Goes on from such a place. Call before the first run. */
  resume(state: DporState): void {
    this.base = state.base;
    this.kept = state.chosen.length;
    for (const [column, from] of [
      [this.chosen, state.chosen],
      [this.runnable, state.runnable],
      [this.backtrack, state.backtrack],
      [this.sleep, state.sleep],
    ] as const) {
      column.reserve(this.kept);
      column.data.set(from);
    }
    for (const [at, objects] of state.gives) this.sleeperGives.set(at, objects);
    // The steps up to here are made again once, to know their clocks; the races among them are known already.
    this.changed = 0;
    this.resumed = true;
  }

  /** Goes to the next run. @returns false when all traces are through */
  advance(): boolean {
    this.resumed = false;
    for (let i = this.depth - 1; i >= this.base; i--) {
      const done = this.chosen.data[i] as number;
      this.sleep.data[i] = (this.sleep.data[i] as number) | (1 << done);
      if (this.gave[i] === undefined) this.sleeperGives.delete(i * ROW + done);
      else this.sleeperGives.set(i * ROW + done, this.gave[i] as readonly number[]);
      const open = (this.backtrack.data[i] as number) & ~(this.sleep.data[i] as number);
      if (open === 0) continue;
      this.chosen.data[i] = lowestBit(open);
      this.kept = i + 1;
      this.changed = i;
      return true;
    }
    return false;
  }
}

function join(into: Int32Array, from: Int32Array): void {
  for (let t = 0; t < into.length; t++) if ((from[t] as number) > (into[t] as number)) into[t] = from[t] as number;
}

/** Enters event `i` into the history of its address. */
function note(cell: Cell, kind: number, task: number, i: number, clock: Int32Array): void {
  if (tries(kind)) cell.tried[task] = i;
  if (reads(kind)) {
    cell.reads[task] = i;
    if (acquires(kind)) cell.readAcquired[task] = i;
    join(cell.readClock, clock);
    return;
  }
  cell.write = i;
  cell.reads.fill(-1);
  cell.readClock.fill(0);
  cell.writeClock.set(clock);
  if (acquires(kind)) {
    cell.acquired = i;
    cell.readAcquired.fill(-1);
  } else if (!releases(kind)) cell.tried.fill(-1);
}
