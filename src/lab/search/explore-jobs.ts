/** Exploring as jobs of a search thread: a part of the schedules with so many preemptions, or a stretch of the walk over all traces. */
import { Bounded, type Deviation } from './bounded.ts';
import { Dpor, type DporState } from './dpor.ts';
import type { Engine } from './engine.ts';
import { type FoundInBlock, FoundTable } from './found-table.ts';
import { Random } from './random.ts';
import { type Subject, sessionFor } from './session.ts';
import { TraceHash } from './trace-hash.ts';

/** What a part of an exploration came to. */
export interface Explored {
  readonly schedules: number;
  readonly withFinding: number;
  readonly found: FoundInBlock[];
  /** The distinct traces, as numbers; and those among them with a finding. */
  readonly traces: Float64Array;
  readonly tracesWithFinding: Float64Array;
}

/** Counts schedules, findings and traces. */
class Tally {
  schedules = 0;
  withFinding = 0;
  readonly found = new FoundTable();
  private readonly traces = new Set<number>();
  private readonly bad = new Set<number>();

  add(engine: Engine, trace: number): void {
    this.traces.add(trace);
    if (engine.found.length > 0) {
      this.withFinding++;
      this.bad.add(trace);
      this.found.add(engine, this.schedules);
    }
    this.schedules++;
  }

  result(): Explored {
    const { schedules, withFinding, found, traces, bad } = this;
    return { schedules, withFinding, found: found.list(), traces: Float64Array.from(traces), tracesWithFinding: Float64Array.from(bad) };
  }
}

export interface BoundedOrder extends Subject {
  /** Only schedules with exactly so many preemptions are counted. */
  readonly preemptions: number;
  /** Which part; absent: only the schedule in which nobody is preempted, and how the tree falls apart. */
  readonly deviation?: Deviation;
}

export interface BoundedResult extends Explored {
  /** For an order without a deviation: the parts. */
  readonly parts: readonly Deviation[];
}

/** All schedules of a part. */
export async function exploreBounded(order: BoundedOrder): Promise<BoundedResult> {
  const { engine, profile } = await sessionFor(order);
  const { preemptions, deviation } = order;
  const strategy = new Bounded(preemptions, deviation);
  const hash = new TraceHash();
  const tally = new Tally();
  const random = new Random();
  engine.observer = hash;
  let parts: Deviation[] = [];
  do {
    engine.run(strategy, random, profile);
    if (strategy.preemptions === preemptions) tally.add(engine, hash.number());
    if (deviation === undefined) {
      parts = strategy.deviations();
      break;
    }
  } while (strategy.advance());
  engine.observer = undefined;
  return { ...tally.result(), parts };
}

export interface WalkOrder extends Subject {
  /** Return after so many milliseconds. */
  readonly milliseconds: number;
  /** Where to begin, for the first order of a thread; absent: at the beginning. */
  readonly from?: DporState;
}

export interface WalkResult extends Explored {
  /** All traces are through. */
  readonly done: boolean;
  /** Where the next order goes on; meant for a checkpoint. */
  readonly state: DporState;
  /** Runs that were cut because what they led to was known. */
  readonly cuts: number;
  /** Mean estimate of the number of runs. */
  readonly estimate: number;
}

let walk: Dpor | undefined;

/** A stretch of the walk over all traces; the next order of the same thread goes on where this one stopped. */
export async function exploreAll(order: WalkOrder): Promise<WalkResult> {
  const { engine, profile } = await sessionFor(order);
  if (walk === undefined) {
    walk = new Dpor(engine.tasks.length);
    if (order.from !== undefined) walk.resume(order.from);
  }
  const hash = new TraceHash();
  const tally = new Tally();
  const random = new Random();
  const end = performance.now() + order.milliseconds;
  engine.observer = hash;
  let more = true;
  let estimates = 0;
  let runs = 0;
  while (more && performance.now() < end) {
    engine.run(walk, random, profile);
    estimates += walk.estimate();
    runs++;
    if (engine.ending !== 'cut') tally.add(engine, hash.number());
    more = walk.advance();
  }
  engine.observer = undefined;
  const state = walk.state();
  if (!more) walk = undefined;
  return { ...tally.result(), done: !more, state, cuts: state.cuts, estimate: estimates / Math.max(1, runs) };
}
