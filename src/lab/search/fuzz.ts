/** A fuzzing campaign: blocks of seeds handed to search threads, counts added up, the first finding told at once. */
import { addHits, type HitCounts, noHits } from '../summary.ts';
import { addFound, type FoundInBlock } from './found-table.ts';
import type { FuzzBlock, FuzzBlockResult } from './fuzz-block.ts';
import type { SearchPool } from './pool.ts';
import type { Saturation } from './saturation.ts';
import type { Subject } from './session.ts';
import type { Run } from './token.ts';

export interface FuzzOptions extends Subject {
  readonly strategy: string;
  readonly depth: number;
  readonly seed: number;
  /** Number of schedules; may be infinite. */
  readonly schedules: number;
  /** Longest time in seconds; may be infinite. */
  readonly seconds: number;
  /** Stop at the first finding. */
  readonly untilFinding: boolean;
  /** Where guided schedules come from and go to; absent: not guided. */
  readonly guide?: Guide;
}

/** What a guided campaign keeps. */
export interface Guide {
  readonly saturation: Saturation;
  /** Schedules of earlier campaigns. */
  readonly corpus: readonly (readonly Run[])[];
  /** Called for each schedule that brought something new. */
  keep(runs: readonly Run[], trace: string): void;
}

/** A finding of the campaign. */
export interface FuzzFinding extends FoundInBlock {
  /** Seconds after the start when it became known. */
  seconds: number;
}

export interface FuzzResult {
  schedules: number;
  steps: number;
  withFinding: number;
  found: FuzzFinding[];
  hits: HitCounts;
  visits: number;
  exits: number;
  passes: number;
  seconds: number;
  /** Sum of the time that threads spent on schedules. */
  busySeconds: number;
  /** Stopped before its end. */
  partial: boolean;
}

export interface FuzzHooks {
  signal?: AbortSignal;
  /** After each block. */
  progress?(result: FuzzResult): void;
  /** A signature came for the first time. */
  found?(finding: FuzzFinding): void;
}

/** What a block should take, in milliseconds; and its first size. */
const BLOCK_MS = 100;
const FIRST_BLOCK = 500;

/**
 * Runs a campaign. The schedules are those of the seed, from number 0 on, whatever the number of threads.
 * @throws EmulatorBug when a schedule could not be repeated
 */
export async function fuzz(pool: SearchPool, options: FuzzOptions, hooks: FuzzHooks = {}): Promise<FuzzResult> {
  const start = performance.now();
  const result: FuzzResult = {
    schedules: 0,
    steps: 0,
    withFinding: 0,
    found: [],
    hits: { ...noHits },
    visits: 0,
    exits: 0,
    passes: 0,
    seconds: 0,
    busySeconds: 0,
    partial: false,
  };
  const { scenario, workload, strategy, depth, seed } = options;
  let next = 0;
  let size = FIRST_BLOCK;
  const isOver = (): boolean =>
    next >= options.schedules ||
    (performance.now() - start) / 1000 >= options.seconds ||
    hooks.signal?.aborted === true ||
    (options.untilFinding && result.found.length > 0);
  const worker = async (): Promise<void> => {
    while (!isOver()) {
      const count = Math.min(size, options.schedules - next);
      const from = next;
      next += count;
      const order = { scenario, workload, strategy, depth, seed, from, count };
      const block = options.guide === undefined ? await pool.run('fuzzBlock', order) : await guided(pool, order, options.guide, from === 0);
      size = Math.max(10, Math.min(100_000, Math.round((count * BLOCK_MS) / Math.max(1, block.milliseconds))));
      add(result, block, (performance.now() - start) / 1000, hooks);
      hooks.progress?.(result);
    }
  };
  await Promise.all(Array.from({ length: pool.threads }, worker));
  result.seconds = (performance.now() - start) / 1000;
  result.partial = hooks.signal?.aborted === true && result.schedules < options.schedules;
  result.found.sort((a, b) => a.first - b.first);
  return result;
}

/** A guided block. The first one begins with the corpus. */
async function guided(pool: SearchPool, order: FuzzBlock, guide: Guide, first: boolean): Promise<FuzzBlockResult> {
  const block = await pool.run('guidedBlock', first ? { ...order, corpus: guide.corpus } : order);
  guide.saturation.addTraces(block.traces);
  for (const { runs, features, trace } of block.kept) if (guide.saturation.addFeatures(features)) guide.keep(runs, trace);
  return block;
}

function add(sum: FuzzResult, block: FuzzBlockResult, seconds: number, hooks: FuzzHooks): void {
  sum.schedules += block.schedules;
  sum.steps += block.steps;
  sum.withFinding += block.withFinding;
  sum.hits = addHits(sum.hits, block.hits);
  sum.visits += block.visits;
  sum.exits += block.exits;
  sum.passes += block.passes;
  sum.busySeconds += block.milliseconds / 1000;
  sum.seconds = seconds;
  for (const fresh of addFound(sum.found, block.found, (finding) => ({ ...finding, seconds }))) hooks.found?.(fresh);
}
