/** From experiments to the result that is printed and kept. */

import type { MachineState } from '../machine-state.ts';
import { comparePairs, isDifference, type JudgedComparison, judge } from '../stats/compare-pairs.ts';
import { median, quantile } from '../stats/median.ts';
import { type Block, type ExperimentResult, roundMeans } from './experiment.ts';

/** The three things that are measured. */
export type Claim = 'iteration' | 'exitLatency' | 'throughput';

/** Under which circumstances. */
export interface Condition {
  /** Are the areas mergeable, so that the pass looks into each? */
  areas: 'mergeable' | 'unmergeable';
  /** `cold`: other data went through the caches before each pass. */
  cache: 'warm' | 'cold';
  /** `noisy`: another thread writes mm_users all the time. */
  counter: 'quiet' | 'noisy';
}

/** The usual case. */
export const USUAL: Condition = { areas: 'mergeable', cache: 'warm', counter: 'quiet' };

/** One experiment: a claim, a size, a condition. */
export interface Cell {
  claim: Claim;
  vmas: number;
  condition: Condition;
  experiment: ExperimentResult;
}

/** What every entry has. For the baseline itself the ratio is 1 without a width. */
export interface Entry {
  vmas: number;
  variant: string;
  baseline: string;
  ratio: number;
  ciLow: number;
  ciHigh: number;
  pairs: number;
  /** Absent for the baseline, and where the run ended before two pairs. */
  judged?: JudgedComparison;
  condition: Condition;
  /** The interval is as narrow as was asked for. */
  precise: boolean;
}

export interface IterationEntry extends Entry {
  nsPerVma: number;
  /** Of the slowest block. */
  worstNsPerVma: number;
}

export interface ExitEntry extends Entry {
  medianUs: number;
  p99Us: number;
  worstUs: number;
  /** Median of the part that was waiting for mmap_lock. */
  lockWaitUs: number;
  /** Median time from the start of the exit until the scanner gave mmap_lock up. */
  scannerLeavesUs: number;
  /** Share of the exits that really began while the scanner was in the loop. */
  inLoop: number;
  /** Share of the blocks that had such an exit, and so count only such; the others count what they have. */
  raced: number;
}

/** The ratio is that of the time per exit; `passes` compares the time per pass. */
export interface ThroughputEntry extends Entry {
  exitsPerSecond: number;
  passesPerSecond: number;
  passes?: JudgedComparison;
}

/** The baseline against itself. */
export interface AaEntry {
  claim: Claim;
  vmas: number;
  condition: Condition;
  judged: JudgedComparison;
  /** Did the warm-up before it end because nothing changed any more, or because its time was up? */
  settled: boolean;
}

export interface OverheadResult {
  vmas: number[];
  variants: string[];
  baseline: string;
  /** The usual condition only: one entry per size and variant. */
  iteration: IterationEntry[];
  /** The other conditions. */
  conditions: IterationEntry[];
  exitLatency: ExitEntry[];
  throughput: ThroughputEntry[];
  aa: AaEntry[];
  /** Claims where an A/A run showed a difference: if there is any, nothing in the whole result counts. */
  unsound: Claim[];
  /** Stopped before it was through. */
  unfinished: boolean;
  /** Half-width asked for. */
  precision: number;
  /** Pace of the organic load. */
  load: string;
  seed: number;
  secondsAsked: number;
  machine: MachineState;
  /** There and back between the two threads' cores, ns; absent on one core. */
  pingPongNs?: number;
}

const blocksOf = (cell: Cell, variant: string): Block[] => cell.experiment.variants.find((v) => v.variant === variant)?.blocks ?? [];

const largest = (all: readonly number[]): number => all.reduce((most, x) => Math.max(most, x), 0);

const partsOf = (blocks: readonly Block[], name: string): number[] => blocks.flatMap((b) => b.parts?.[name] ?? []);

function part(blocks: readonly Block[], name: string): number {
  return median(partsOf(blocks, name));
}

const mean = (all: readonly number[]): number => all.reduce((sum, x) => sum + x, 0) / all.length;

/** The figures that every entry has, judged together with all others of its claim. */
function entriesOf(cells: readonly Cell[], baseline: string): { cell: Cell; entry: Entry; blocks: Block[] }[] {
  const compared = cells.flatMap((cell) =>
    cell.experiment.variants.flatMap((v) => (v.comparison === undefined ? [] : [{ cell, variant: v.variant, comparison: v.comparison }])),
  );
  const judged = judge(compared.map((c) => c.comparison));
  return cells.flatMap((cell) =>
    cell.experiment.variants
      .filter((v) => v.blocks.length > 0)
      .map((v) => {
        const at = compared.findIndex((c) => c.cell === cell && c.variant === v.variant);
        const verdict = judged[at];
        const pairs = cell.experiment.variants.find((other) => other.comparison !== undefined)?.comparison?.pairs ?? 0;
        const entry: Entry = {
          vmas: cell.vmas,
          variant: v.variant,
          baseline,
          ratio: verdict?.ratio ?? 1,
          ciLow: verdict?.ciLow ?? 1,
          ciHigh: verdict?.ciHigh ?? 1,
          pairs: verdict?.pairs ?? pairs,
          condition: cell.condition,
          precise: cell.experiment.precise,
        };
        if (verdict !== undefined) entry.judged = verdict;
        return { cell, entry, blocks: blocksOf(cell, v.variant) };
      }),
  );
}

/** Sets the passes of the organic load against the baseline's, too. */
function judgePasses(cells: readonly Cell[], entries: readonly ThroughputEntry[], { baseline, seed }: RunFacts): void {
  const compared = entries.flatMap((entry) => {
    const cell = cells.find((c) => c.vmas === entry.vmas);
    if (cell === undefined || entry.judged === undefined) return [];
    const times = (variant: string): number[] => roundMeans(cell.experiment.blocks, variant, (b) => 1 / (b.parts?.passesPerSecond ?? 0));
    const [mine, base] = [times(entry.variant), times(baseline)];
    const rounds = entry.pairs;
    return [{ entry, comparison: comparePairs(base.slice(0, rounds), mine.slice(0, rounds), seed) }];
  });
  judge(compared.map((c) => c.comparison)).forEach((judged, i) => {
    (compared[i] as (typeof compared)[number]).entry.passes = judged;
  });
}

const isUsual = (c: Condition): boolean => c.areas === USUAL.areas && c.cache === USUAL.cache && c.counter === USUAL.counter;

/** What is asked for and known about the run as a whole. */
export type RunFacts = Pick<
  OverheadResult,
  'vmas' | 'variants' | 'baseline' | 'precision' | 'load' | 'seed' | 'secondsAsked' | 'machine' | 'pingPongNs'
>;

/** Puts the experiments of a run together. */
export function overheadResult(cells: readonly Cell[], facts: RunFacts): OverheadResult {
  const of = (claim: Claim): ReturnType<typeof entriesOf> =>
    entriesOf(
      cells.filter((c) => c.claim === claim),
      facts.baseline,
    );
  const iteration = of('iteration').map(({ entry, blocks }) => {
    const all = blocks.map((b) => b.value);
    return { ...entry, nsPerVma: median(all), worstNsPerVma: largest(all) };
  });
  const exitLatency = of('exitLatency').map(({ entry, blocks }) => {
    const all = blocks.flatMap((b) => b.samples ?? []);
    return {
      ...entry,
      medianUs: median(all),
      p99Us: quantile(all, 0.99),
      worstUs: largest(all),
      lockWaitUs: part(blocks, 'lockWaitUs'),
      scannerLeavesUs: part(blocks, 'scannerLeavesUs'),
      inLoop: mean(partsOf(blocks, 'inLoop')),
      raced: mean(partsOf(blocks, 'raced')),
    };
  });
  const throughput = of('throughput').map(
    ({ entry, blocks }): ThroughputEntry => ({
      ...entry,
      exitsPerSecond: part(blocks, 'exitsPerSecond'),
      passesPerSecond: part(blocks, 'passesPerSecond'),
    }),
  );
  judgePasses(
    cells.filter((c) => c.claim === 'throughput'),
    throughput,
    facts,
  );
  const aa: AaEntry[] = [];
  const runs = cells.flatMap((cell) => (cell.experiment.aa === undefined ? [] : [{ cell, comparison: cell.experiment.aa }]));
  judge(runs.map((r) => r.comparison)).forEach((judged, i) => {
    const { claim, vmas, condition, experiment } = (runs[i] as (typeof runs)[number]).cell;
    aa.push({ claim, vmas, condition, judged, settled: experiment.warmUp.settled });
  });
  return {
    ...facts,
    iteration: iteration.filter((e) => isUsual(e.condition)),
    conditions: iteration.filter((e) => !isUsual(e.condition)),
    exitLatency,
    throughput,
    aa,
    unsound: [...new Set(aa.filter((a) => isDifference(a.judged.verdict)).map((a) => a.claim))],
    unfinished: cells.some((c) => c.experiment.unfinished),
  };
}
