/** Exploring as jobs of a search thread: a part of the schedules with so many preemptions, or a stretch of the walk over all traces. */
import { Bounded, type BoundedState, type Deviation } from './bounded.ts';
import { Dpor } from './dpor.ts';
import type { DporState } from './dpor-state.ts';
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
  /** Schedules of earlier stretches of the same part. */
  private readonly before: number;
  schedules = 0;
  withFinding = 0;
  readonly found = new FoundTable();
  private readonly traces = new Set<number>();
  private readonly bad = new Set<number>();

  constructor(before = 0) {
    this.before = before;
  }

  add(engine: Engine, trace: number): void {
    this.traces.add(trace);
    if (engine.found.length > 0) {
      this.withFinding++;
      this.bad.add(trace);
      this.found.add(engine, this.before + this.schedules);
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
  /** Which part, or what is left of it; absent: only the schedule in which nobody is preempted, and how the tree falls apart. */
  readonly part?: BoundedPart;
  /** Return after so many milliseconds. */
  readonly milliseconds: number;
}

/** A part of a level, or what is left of it. Plain data. */
export interface BoundedPart {
  readonly of: Deviation | BoundedState;
  /** Schedules of it that were counted already. */
  readonly counted: number;
}

export interface BoundedResult extends Explored {
  /** For an order without a part: the parts. For others: what is left, if anything. */
  readonly parts: readonly BoundedPart[];
}

/** The schedules of a part, as far as the time goes. */
export async function exploreBounded(order: BoundedOrder): Promise<BoundedResult> {
  const { engine, profile } = await sessionFor(order);
  const { preemptions, part } = order;
  const strategy = new Bounded(preemptions, part?.of);
  const hash = new TraceHash();
  const tally = new Tally(part?.counted);
  const random = new Random();
  engine.observer = hash;
  const end = performance.now() + order.milliseconds;
  let more = false;
  do {
    engine.run(strategy, random, profile);
    if (strategy.preemptions === preemptions) tally.add(engine, hash.number());
    more = part !== undefined && strategy.advance();
  } while (more && performance.now() < end);
  engine.observer = undefined;
  const left = more ? [strategy.state()] : part === undefined ? strategy.deviations() : [];
  return { ...tally.result(), parts: left.map((of) => ({ of, counted: more ? (part?.counted ?? 0) + tally.schedules : 0 })) };
}

export interface WalkOrder extends Subject {
  /** Return after so many milliseconds. */
  readonly milliseconds: number;
  /** Where to begin; absent: at the beginning. */
  readonly from?: DporState;
}

export interface WalkResult extends Explored {
  /** What is left; absent: this walk is through. */
  readonly rest?: DporState;
  /** Runs that were cut because what they led to was known. */
  readonly cuts: number;
  /** Mean estimate of the number of runs. */
  readonly estimate: number;
}

/** A stretch of a walk over all traces, or over a part of them. */
export async function exploreAll(order: WalkOrder): Promise<WalkResult> {
  const { engine, profile } = await sessionFor(order);
  const walk = new Dpor(engine.tasks.length);
  if (order.from !== undefined) walk.resume(order.from);
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
  const rest = more ? { rest: walk.state() } : {};
  return { ...tally.result(), ...rest, cuts: walk.cuts, estimate: estimates / Math.max(1, runs) };
}
