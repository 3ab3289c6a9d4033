/** A whole run of `overhead`: all claims, sizes and conditions, one after the other, on the same two threads. */
import type { BootOptions } from '../../machine/boot.ts';
import { watchMachine } from '../machine-state.ts';
import { type ExperimentPlan, type Order, runExperiment } from './experiment.ts';
import { exitInstrument, iterationInstrument, measurePingPong, organicInstrument, type Setup } from './instruments.ts';
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
const THREADS = 2;

interface Planned {
  claim: Claim;
  vmas: number;
  condition: Condition;
  setUp: (threads: OverheadThreads) => Promise<Setup>;
}

function plan(options: OverheadOptions): Planned[] {
  const planned: Planned[] = [];
  if (options.claims.includes('iteration')) {
    for (const condition of options.conditions) {
      for (const vmas of options.vmas) {
        planned.push({ claim: 'iteration', vmas, condition, setUp: (threads) => iterationInstrument(threads, vmas, condition) });
      }
    }
  }
  if (options.claims.includes('exitLatency')) {
    for (const vmas of options.vmas) {
      planned.push({
        claim: 'exitLatency',
        vmas,
        condition: USUAL,
        setUp: (threads) => exitInstrument(threads, vmas, options.at),
      });
    }
  }
  if (options.claims.includes('throughput')) {
    const least = Math.min(...options.vmas);
    const sizes = options.vmas.filter((vmas) => vmas <= ORGANIC_VMAS_AT_MOST);
    for (const vmas of new Set(sizes.length === 0 ? [least] : [least, Math.max(...sizes)])) {
      planned.push({ claim: 'throughput', vmas, condition: USUAL, setUp: async (threads) => organicInstrument(threads, vmas) });
    }
  }
  return planned;
}

/**
 * Runs the lab.
 * @param stopped  true ends the run; what is known by then is the result, marked unfinished
 * @param say  told what is measured now, and how far the run is (0 to 1)
 * @throws UsageError when the processes do not fit the shared memory or the user's variant fails; RunFailed
 */
export async function runOverhead(
  options: OverheadOptions,
  stopped: () => boolean,
  say: (what: string, share: number) => void,
): Promise<{ result: OverheadResult; cells: Cell[] }> {
  const machine = watchMachine();
  const begun = performance.now();
  const threads = await OverheadThreads.start(options.boot);
  const cells: Cell[] = [];
  let pingPongNs: number | undefined;
  try {
    if (machine(THREADS).cores > 1) pingPongNs = await measurePingPong(threads);
    const planned = plan(options);
    for (const [i, { claim, vmas, condition, setUp }] of planned.entries()) {
      say(`${claim}, ${vmas} VMAs, ${condition.areas}, ${condition.cache}, counter ${condition.counter}`, i / planned.length);
      // What earlier experiments left of the time is shared among those to come.
      const left = options.seconds - (performance.now() - begun) / 1000;
      const experimentPlan: ExperimentPlan = {
        variants: [options.baseline, ...options.variants],
        baseline: options.baseline,
        order: options.order,
        minPairs: options.minPairs,
        precision: options.precision,
        seconds: Math.max(0, left / (planned.length - i)),
        seed: options.seed + i,
      };
      const setup = await setUp(threads);
      const experiment = await runExperiment(setup.measure, experimentPlan, stopped);
      cells.push({ claim, vmas, condition, experiment });
      if (experiment.unfinished) break;
      await setup.dispose();
    }
  } finally {
    await threads.end();
  }
  const facts = {
    vmas: [...options.vmas],
    variants: [options.baseline, ...options.variants],
    baseline: options.baseline,
    precision: options.precision,
    machine: machine(THREADS),
    ...(pingPongNs === undefined ? {} : { pingPongNs }),
  };
  return { result: overheadResult(cells, facts), cells };
}
