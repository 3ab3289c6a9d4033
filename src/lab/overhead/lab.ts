/** A whole run of `overhead`: all claims, sizes and conditions, one after the other, on the same threads. */
import { availableParallelism } from 'node:os';
import type { BootOptions } from '../../machine/boot.ts';
import { UsageError } from '../errors.ts';
import { watchMachine } from '../machine-state.ts';
import { type ExperimentPlan, type Order, runExperiment } from './experiment.ts';
import { exitInstrument, iterationInstrument, measurePingPong, type Setup } from './instruments.ts';
import { type LoadName, organicInstrument } from './organic-instrument.ts';
import { EXITER, SCANNER } from './protocol.ts';
import { type Cell, type Claim, type Condition, type OverheadResult, overheadResult, USUAL } from './result.ts';
import { OverheadThreads } from './threads.ts';

export interface OverheadOptions {
  vmas: readonly number[];
  /** Without the baseline. */
  variants: readonly string[];
  baseline: string;
  claims: readonly Claim[];
  conditions: readonly Condition[];
  order: Order;
  minPairs: number;
  /** Half-width of the intervals, e.g. 0.005. */
  precision: number;
  /** For the whole run; the least number of pairs is measured in any case. */
  seconds: number;
  /** Pace of the organic load. */
  load: LoadName;
  /** Place in the loop at which exits begin, 0 to 1; absent: anywhere. */
  at?: number | undefined;
  seed: number;
  boot: Partial<BootOptions>;
}

/** All conditions that the lab knows besides the usual one, each differing in one thing. */
export const OTHER_CONDITIONS: readonly Condition[] = [
  { ...USUAL, areas: 'unmergeable' },
  { ...USUAL, cache: 'cold' },
  { ...USUAL, counter: 'noisy' },
];

/** Sizes at which the throughput is measured: the smallest and the largest that does not drown in making processes. */
const ORGANIC_VMAS_AT_MOST = 64;

/** Share of the time that an experiment gets, relative to one of warm passes: its blocks take so much longer. */
const WEIGHT = { iteration: 1, disturbed: 2, exitLatency: 2, throughput: 4 };

interface Planned {
  claim: Claim;
  vmas: number;
  condition: Condition;
  weight: number;
  setUp: (threads: OverheadThreads) => Promise<Setup>;
}

/** The experiments of a run, in their order. */
function plan(options: OverheadOptions): Planned[] {
  const planned: Planned[] = [];
  if (options.claims.includes('iteration')) {
    for (const condition of options.conditions) {
      for (const vmas of options.vmas) {
        const weight = condition.cache === 'cold' || condition.counter === 'noisy' ? WEIGHT.disturbed : WEIGHT.iteration;
        planned.push({ claim: 'iteration', vmas, condition, weight, setUp: (threads) => iterationInstrument(threads, vmas, condition) });
      }
    }
  }
  if (options.claims.includes('exitLatency')) {
    for (const vmas of options.vmas) {
      planned.push({
        claim: 'exitLatency',
        vmas,
        condition: USUAL,
        weight: WEIGHT.exitLatency,
        setUp: (threads) => exitInstrument(threads, vmas, options.at),
      });
    }
  }
  if (options.claims.includes('throughput')) {
    const least = Math.min(...options.vmas);
    const sizes = options.vmas.filter((vmas) => vmas <= ORGANIC_VMAS_AT_MOST);
    for (const vmas of new Set(sizes.length === 0 ? [least] : [least, Math.max(...sizes)])) {
      planned.push({
        claim: 'throughput',
        vmas,
        condition: USUAL,
        weight: WEIGHT.throughput,
        setUp: (threads) => organicInstrument(threads, vmas, options.load),
      });
    }
  }
  return planned;
}

/** How many experiments a run has. */
export function experimentCount(options: OverheadOptions): number {
  return plan(options).length;
}

/**
 * Is there room for the largest processes, one of each thread? Better now than after all smaller ones have been measured.
 * @throws UsageError
 */
async function probe(threads: OverheadThreads, vmas: number): Promise<void> {
  try {
    await threads.both({ do: 'make', vmas, condition: USUAL }, { do: 'make', vmas, condition: USUAL });
    await threads.ask(EXITER, { do: 'drop' });
    await threads.ask(SCANNER, { do: 'drop' });
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`--vmas ${vmas}: ${error.message}`) : error;
  }
}

/** How far a run is. */
export interface OverheadProgress {
  /** What is measured now. */
  what: string;
  /** Which experiment of how many, from 1. */
  number: number;
  of: number;
  seconds: number;
}

/**
 * Runs the lab.
 * @param stopped  true ends the run; what is known by then is the result, marked unfinished
 * @param say  told when an experiment begins
 * @throws UsageError when the processes do not fit the shared memory or the user's variant fails; RunFailed
 */
export async function runOverhead(
  options: OverheadOptions,
  stopped: () => boolean,
  say: (progress: OverheadProgress) => void,
): Promise<{ result: OverheadResult; cells: Cell[] }> {
  const machine = watchMachine();
  const begun = performance.now();
  const threads = await OverheadThreads.start(options.boot);
  const cells: Cell[] = [];
  const seconds = (): number => (performance.now() - begun) / 1000;
  let pingPongNs: number | undefined;
  let count = 0;
  try {
    // Others on our cores make it slower, never faster: the best of a look before and one after.
    const pingPong = async (): Promise<void> => {
      if (availableParallelism() > 1) pingPongNs = Math.min(pingPongNs ?? Number.POSITIVE_INFINITY, await measurePingPong(threads));
    };
    await pingPong();
    await probe(threads, Math.max(...options.vmas));
    const planned = plan(options);
    let weights = planned.reduce((sum, p) => sum + p.weight, 0);
    for (const [i, { claim, vmas, condition, weight, setUp }] of planned.entries()) {
      const what = `${claim}, ${vmas} VMAs, ${condition.areas}, ${condition.cache}, counter ${condition.counter}`;
      say({ what, number: i + 1, of: planned.length, seconds: seconds() });
      // What earlier experiments left of the time is shared among those to come.
      const left = options.seconds - seconds();
      const experimentPlan: ExperimentPlan = {
        variants: [options.baseline, ...options.variants],
        baseline: options.baseline,
        order: options.order,
        minPairs: options.minPairs,
        precision: options.precision,
        seconds: Math.max(0, (left * weight) / weights),
        seed: options.seed + i,
      };
      weights -= weight;
      const setup = await setUp(threads);
      const experiment = await runExperiment(setup.measure, experimentPlan, stopped);
      cells.push({ claim, vmas, condition, experiment });
      if (experiment.unfinished) break;
      await setup.dispose();
    }
    if (!cells.some((cell) => cell.experiment.unfinished)) await pingPong();
    count = threads.count;
  } finally {
    await threads.end();
  }
  const facts = {
    vmas: [...options.vmas],
    variants: [options.baseline, ...options.variants],
    baseline: options.baseline,
    precision: options.precision,
    load: options.load,
    seed: options.seed,
    secondsAsked: options.seconds,
    machine: machine(count),
    ...(pingPongNs === undefined ? {} : { pingPongNs }),
  };
  return { result: overheadResult(cells, facts), cells };
}
