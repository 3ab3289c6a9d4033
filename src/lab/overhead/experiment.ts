/**
 * The paired experiment: variants take turns in blocks, on the same threads, until the intervals are narrow enough.
 *
 * ```
 * warm-up      every variant in turn, until no change point is left in anybody's block times
 * A/A          the baseline against itself: whatever "difference" shows here is the method's own
 * A/B          rounds; each round measures every variant, in mirrored order (ABBA) or in random order
 * ```
 * In an ABBA round the sequence runs forth and back, so that a machine that drifts steadily favours nobody; a
 * variant's value is then the geometric mean of its two blocks.
 */
import { comparePairs, type PairedComparison } from '../stats/compare-pairs.ts';
import { seededRandom, shuffle } from '../stats/random.ts';
import { SETTLE_WINDOW, settled } from '../stats/settled.ts';

/** What one block gives. */
export interface Block {
  /** What is compared, e.g. ns per VMA, or the median latency of the block's exits. Above 0. */
  value: number;
  /** Further named figures of the block, e.g. the share of the latency that was waiting. */
  parts?: Record<string, number>;
  /** Single measurements of the block, where there are any: for the distribution. */
  samples?: number[];
  /** Further figures of each of them, in the same order. */
  sampleParts?: Record<string, number[]>;
}

/** Measures one block of a variant. Keeps its threads and memory from block to block. */
export type Instrument = (variant: string) => Promise<Block>;

export type Order = 'abba' | 'random';

export interface ExperimentPlan {
  /** All variants, the baseline among them. */
  variants: readonly string[];
  baseline: string;
  order: Order;
  /** Rounds at least; the A/A phase has as many. */
  minPairs: number;
  /** Half-width of the 95 % intervals of all ratios that ends the experiment, e.g. 0.005. */
  precision: number;
  /** Ends it in any case, once there are {@link minPairs}. */
  seconds: number;
  seed: number;
}

/** A block as it is kept: nothing is ever left out. */
export interface KeptBlock extends Block {
  phase: 'warm-up' | 'a/a' | 'a/b';
  round: number;
  variant: string;
}

export interface VariantResult {
  variant: string;
  /** Against the baseline; absent for the baseline itself, and with less than two rounds. */
  comparison?: PairedComparison;
  /** All blocks of the A/B phase. */
  blocks: Block[];
}

export interface ExperimentResult {
  variants: VariantResult[];
  /** The baseline against itself; absent when the run ended before two rounds. */
  aa?: PairedComparison;
  /** Blocks per variant until nothing changed any more, and whether that came. */
  warmUp: { blocks: number; settled: boolean };
  /** Every interval is as narrow as asked for. */
  precise: boolean;
  /** Stopped from outside before it was through. */
  unfinished: boolean;
  blocks: KeptBlock[];
}

/**
 * A figure of a variant's blocks in the A/B phase, round by round.
 * @returns the geometric mean of each round, in their order
 */
export function roundMeans(blocks: readonly KeptBlock[], variant: string, figure: (block: Block) => number): number[] {
  const rounds: number[][] = [];
  for (const block of blocks) {
    if (block.phase !== 'a/b' || block.variant !== variant) continue;
    rounds[block.round] ??= [];
    rounds[block.round]?.push(Math.log(figure(block)));
  }
  return rounds.map((logs) => Math.exp(logs.reduce((sum, x) => sum + x, 0) / logs.length));
}

/** Warm-up blocks per variant at most: who has not settled by then is on a machine too noisy to tell. */
const WARM_UP_BLOCKS = 6 * SETTLE_WINDOW;
/** A step smaller than this in the warm-up is left to the pairing. */
const WARM_UP_TOLERANCE = 0.01;
/** A step at the very end of the window is seen only when it has moved inwards: so several looks, this many blocks apart. */
const WARM_UP_LOOK = SETTLE_WINDOW / 4;
const WARM_UP_LOOKS = 3;
/** Rounds between two looks at the intervals: each look resamples. */
const LOOK_EVERY = 10;
/** Share of the time that warm-up and A/A may take before the A/B phase must begin (its least rounds aside). */
const WARM_UP_SHARE = 0.25;

class Stopped extends Error {}

class Experiment {
  private readonly kept: KeptBlock[] = [];
  private readonly instrument: Instrument;
  private readonly plan: ExperimentPlan;
  private readonly stopped: () => boolean;
  private readonly begun = performance.now();
  private readonly random: () => number;

  constructor(instrument: Instrument, plan: ExperimentPlan, stopped: () => boolean) {
    this.instrument = instrument;
    this.plan = plan;
    this.stopped = stopped;
    this.random = seededRandom(plan.seed);
  }

  private seconds(): number {
    return (performance.now() - this.begun) / 1000;
  }

  private async block(phase: KeptBlock['phase'], round: number, variant: string): Promise<Block> {
    if (this.stopped()) throw new Stopped();
    const block = await this.instrument(variant);
    this.kept.push({ phase, round, variant, ...block });
    return block;
  }

  async warmUp(): Promise<ExperimentResult['warmUp']> {
    const series = this.plan.variants.map((): number[] => []);
    let quiet = 0;
    for (let blocks = 1; blocks <= WARM_UP_BLOCKS; blocks++) {
      for (const [i, variant] of this.plan.variants.entries()) series[i]?.push((await this.block('warm-up', blocks, variant)).value);
      if (blocks % WARM_UP_LOOK !== 0) continue;
      quiet = series.every((s) => settled(s, WARM_UP_TOLERANCE)) ? quiet + 1 : 0;
      if (quiet === WARM_UP_LOOKS) return { blocks, settled: true };
      if (this.seconds() > WARM_UP_SHARE * this.plan.seconds) return { blocks, settled: false };
    }
    return { blocks: WARM_UP_BLOCKS, settled: false };
  }

  /** One round over `names`; gives the value of each, in their order, and adds its blocks to `into`. */
  private async round(phase: KeptBlock['phase'], round: number, names: readonly string[], into?: Block[][]): Promise<number[]> {
    const order = shuffle(
      this.random,
      names.map((_, i) => i),
    );
    const sequence = this.plan.order === 'abba' ? [...order, ...order.toReversed()] : order;
    const logs = names.map(() => 0);
    const fresh = names.map((): Block[] => []);
    for (const i of sequence) {
      const block = await this.block(phase, round, names[i] as string);
      logs[i] = (logs[i] as number) + Math.log(block.value) * (names.length / sequence.length);
      fresh[i]?.push(block);
    }
    // A round counts as a whole or not at all, or the halves of pairs would not match.
    fresh.forEach((blocks, i) => {
      into?.[i]?.push(...blocks);
    });
    return logs.map(Math.exp);
  }

  async run(): Promise<ExperimentResult> {
    const { plan } = this;
    const result: ExperimentResult = {
      variants: plan.variants.map((variant) => ({ variant, blocks: [] })),
      warmUp: { blocks: 0, settled: false },
      precise: false,
      unfinished: false,
      blocks: this.kept,
    };
    const aa: [number[], number[]] = [[], []];
    const values = plan.variants.map((): number[] => []);
    const base = plan.variants.indexOf(plan.baseline);
    try {
      result.warmUp = await this.warmUp();
      for (let round = 0; round < plan.minPairs; round++) {
        const [a, b] = await this.round('a/a', round, [plan.baseline, plan.baseline]);
        aa[0].push(a as number);
        aa[1].push(b as number);
      }
      const blocks = result.variants.map((v) => v.blocks);
      for (let round = 0; ; round++) {
        if (round >= plan.minPairs && round % LOOK_EVERY === 0 && this.widest(values, base) <= plan.precision) {
          result.precise = true;
          break;
        }
        if (round >= plan.minPairs && this.seconds() >= plan.seconds) break;
        for (const [i, value] of (await this.round('a/b', round, plan.variants, blocks)).entries()) values[i]?.push(value);
      }
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      result.unfinished = true;
    }
    if (aa[0].length >= 2) result.aa = comparePairs(...aa, plan.seed);
    const baseline = values[base] as number[];
    for (const [i, v] of result.variants.entries()) {
      if (i !== base && baseline.length >= 2) v.comparison = comparePairs(baseline, values[i] as number[], plan.seed);
    }
    return result;
  }

  /** The widest of the intervals of all variants, as half a width. */
  private widest(values: number[][], base: number): number {
    let widest = 0;
    for (const [i, mine] of values.entries()) {
      if (i === base) continue;
      const { ciLow, ciHigh } = comparePairs(values[base] as number[], mine, this.plan.seed);
      widest = Math.max(widest, (ciHigh - ciLow) / 2);
    }
    return widest;
  }
}

/**
 * Runs one experiment.
 * @param stopped  asked before each block; true ends the experiment with what is known so far
 */
export function runExperiment(instrument: Instrument, plan: ExperimentPlan, stopped: () => boolean): Promise<ExperimentResult> {
  return new Experiment(instrument, plan, stopped).run();
}
