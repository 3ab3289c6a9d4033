/** The instruments: how one block of each claim is measured with the two threads. */
import { median, quantile } from '../stats/median.ts';
import type { Instrument } from './experiment.ts';
import { SCANNER } from './protocol.ts';
import type { Condition } from './result.ts';
import { USUAL } from './result.ts';
import type { OverheadThreads } from './threads.ts';

/** An instrument that holds something until it is through. */
export interface Setup {
  measure: Instrument;
  dispose: () => Promise<void>;
}

/** A warm block takes about so long: far more than the clock's grain, short enough for pairs to share the weather. */
const BLOCK_NS = 2e6;
/** Exits of a block: fewer of large processes, whose making takes its time. */
const EXITS_AT_MOST = 16;
const VMAS_PER_EXIT_BLOCK = 512;
const PING_PONG_ROUNDS = 40_000;
/** Blocks of passes that tell how long the loop takes when nobody exits; the first half warms up. */
const CALIBRATION_BLOCKS = 100;
const CALIBRATION_NS = BLOCK_NS / 4;
/** Of the others this quantile counts: where the loop is over earlier than thought, exits at late places miss it. */
const CALIBRATION_QUANTILE = 0.1;
/** The exit begins somewhere in this share of the loop: at its very end the scanner would have left. */
const LATEST_PLACE = 0.9;

/** ns per VMA of the pass. */
export async function iterationInstrument(threads: OverheadThreads, vmas: number, condition: Condition): Promise<Setup> {
  const { mm } = await threads.ask(SCANNER, { do: 'make', vmas, condition });
  return {
    measure: async (variant) => {
      const request = { do: 'iterate', variant, nanoseconds: BLOCK_NS, condition } as const;
      if (condition.counter === 'quiet') return { value: (await threads.ask(SCANNER, request)).passNs / vmas };
      const [{ passNs }, { writes, forks }] = await threads.both(request, { do: 'noise', mm });
      return { value: passNs / vmas, parts: { counterWrites: writes, forks } };
    },
    dispose: async () => {
      await threads.ask(SCANNER, { do: 'drop' });
    },
  };
}

/** The fractional part of its multiples fills 0 to 1 evenly, however many are taken. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** How long the unmerge pass takes over `vmas` areas when nobody exits, ns. */
async function idlePassNs(threads: OverheadThreads, vmas: number): Promise<number> {
  await threads.ask(SCANNER, { do: 'make', vmas, condition: USUAL });
  const idle: number[] = [];
  for (let i = 0; i < CALIBRATION_BLOCKS; i++) {
    const { passNs } = await threads.ask(SCANNER, { do: 'iterate', variant: 'unfixed', nanoseconds: CALIBRATION_NS, condition: USUAL });
    idle.push(passNs);
  }
  await threads.ask(SCANNER, { do: 'drop' });
  return quantile(idle.slice(CALIBRATION_BLOCKS / 2), CALIBRATION_QUANTILE);
}

/**
 * Median exit latency of a block, us. The n-th block of every variant has its exits at the same places of the loop.
 * @param at  where in the loop the scanner is when the exit begins, 0 to 1; undefined: spread evenly
 */
export async function exitInstrument(threads: OverheadThreads, vmas: number, at: number | undefined): Promise<Setup> {
  const loopNs = await idlePassNs(threads, vmas);
  const exits = Math.min(EXITS_AT_MOST, Math.max(1, Math.round(VMAS_PER_EXIT_BLOCK / vmas)));
  const begun = new Map<string, number>();
  return {
    measure: async (variant) => {
      const first = begun.get(variant) ?? 0;
      begun.set(variant, first + exits);
      const places = Array.from({ length: exits }, (_, i) => at ?? LATEST_PLACE * (((first + i + 1) * GOLDEN) % 1));
      const [, samples] = await threads.both({ do: 'scan-exits', variant }, { do: 'exit-exits', vmas, places, loopNs });
      return {
        value: median(samples.latencyUs),
        samples: samples.latencyUs,
        sampleParts: { lockWaitUs: samples.lockWaitUs, scannerLeavesUs: samples.scannerLeavesUs },
        parts: {
          lockWaitUs: median(samples.lockWaitUs),
          scannerLeavesUs: median(samples.scannerLeavesUs),
          inLoop: samples.inLoop,
          raced: samples.inLoop > 0 ? 1 : 0,
        },
      };
    },
    dispose: async () => {},
  };
}

/** There and back between the cores of the two threads, ns. */
export async function measurePingPong(threads: OverheadThreads): Promise<number> {
  const [{ ns }] = await threads.both({ do: 'ping-pong', rounds: PING_PONG_ROUNDS }, { do: 'ping-pong', rounds: PING_PONG_ROUNDS });
  return ns;
}
