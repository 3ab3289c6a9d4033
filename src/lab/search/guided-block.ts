/** A block of guided schedules: fresh ones by a strategy, and changed ones from the corpus; what brings something new joins it. */
import { Coverage } from './coverage.ts';
import { FoundTable } from './found-table.ts';
import type { FuzzBlock, FuzzBlockResult } from './fuzz-block.ts';
import { countHappenings } from './happenings.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import { ReplayRuns } from './replay-runs.ts';
import { sessionFor } from './session.ts';
import { loadStrategy } from './strategy.ts';
import type { Run } from './token.ts';

export interface GuidedBlock extends FuzzBlock {
  /** Schedules to begin with, for the first block of a thread. */
  readonly corpus?: readonly (readonly Run[])[];
}

/** A schedule that brought something new to its thread. */
export interface Kept {
  readonly runs: readonly Run[];
  readonly features: readonly number[];
  /** Hash of its trace. */
  readonly trace: string;
}

export interface GuidedBlockResult extends FuzzBlockResult {
  readonly kept: Kept[];
  /** Trace of each schedule, as a number. */
  readonly traces: Float64Array;
}

/** One in so many schedules is fresh. */
const FRESH = 2;

interface Guide {
  readonly seen: Set<number>;
  readonly corpus: (readonly Run[])[];
}
let guide: Guide | undefined;

export async function guidedBlock(block: GuidedBlock): Promise<GuidedBlockResult> {
  const { engine, profile } = await sessionFor(block);
  guide ??= { seen: new Set(), corpus: [] };
  const { seen, corpus } = guide;
  const fresh = await loadStrategy(block.strategy, { depth: block.depth });
  const random = new Random();
  const happened = countHappenings();
  const found = new FoundTable();
  const coverage = new Coverage();
  const kept: Kept[] = [];
  const waiting = [...(block.corpus ?? [])];
  const count = block.count + waiting.length;
  const traces = new Float64Array(count);
  let steps = 0;
  let withFinding = 0;
  const start = performance.now();
  engine.observer = coverage;
  for (let n = 0; n < count; n++) {
    const index = block.from + n;
    random.seed(block.seed, index);
    const given = waiting.pop();
    const base = corpus[random.below(Math.max(1, corpus.length))];
    const strategy =
      given !== undefined
        ? new ReplayRuns(given)
        : base === undefined || random.below(FRESH) === 0
          ? fresh
          : new ReplayRuns(mutate(base, engine.tasks.length, random));
    engine.run(strategy, random, profile);
    steps += engine.steps;
    traces[n] = coverage.number();
    if (engine.found.length > 0) {
      withFinding++;
      found.add(engine, index);
    }
    const features = [...coverage.features].filter((feature) => !seen.has(feature));
    if (features.length === 0) continue;
    for (const feature of features) seen.add(feature);
    const runs = engine.segments();
    corpus.push(runs);
    kept.push({ runs, features, trace: coverage.text() });
  }
  engine.observer = undefined;
  return { ...happened, schedules: count, steps, withFinding, found: found.list(), milliseconds: performance.now() - start, kept, traces };
}
