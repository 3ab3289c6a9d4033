/** How one block of the organic load is measured. */
import type { Block } from './experiment.ts';
import type { Setup } from './instruments.ts';
import { FORKERS, KSMD, ORGANIC_THREADS, type OrganicLoad, SCANNER } from './protocol.ts';
import type { OverheadThreads } from './threads.ts';

/** The paces by name, and about how long a block of each takes. */
export const LOADS = {
  /** The same tasks without the sleeps: how much the machine gets through. */
  'flat-out': { lifeMs: 0, restMs: 0, mergeMs: 1, ksmdMs: 1, blockMs: 20 },
  /** As `stress --shape organic` runs by default. */
  paced: { lifeMs: 3, restMs: 7, mergeMs: 20, ksmdMs: 20, blockMs: 80 },
} as const satisfies Record<string, OrganicLoad & { blockMs: number }>;
export type LoadName = keyof typeof LOADS;

/** Lives per forker of the first block that finds out how many fill one. */
const FIRST_LIVES = 4;
const CALIBRATION_BLOCKS = 12;

/** Time per exit under the organic load, us. All blocks have the same sleeps. */
export async function organicInstrument(threads: OverheadThreads, vmas: number, name: LoadName): Promise<Setup> {
  const load = LOADS[name];
  await threads.grow(ORGANIC_THREADS);
  const ksmd = threads.ask(KSMD, { do: 'organic-ksmd', sleepMs: load.ksmdMs });
  // Whatever fails in it also fails a block; told there.
  ksmd.catch(() => {});
  let ready = 0;
  const block = async (variant: string, lives: number): Promise<Block & { ms: number }> => {
    ready += FORKERS.length + 1;
    const [{ passes, seconds }, ...forkers] = await Promise.all([
      threads.ask(SCANNER, { do: 'organic-toggle', variant, load, ready }),
      ...FORKERS.map((side) => threads.ask(side, { do: 'organic-fork', vmas, lives, load, seed: side, ready })),
    ]);
    const us = (Math.max(...forkers.map((f) => f.endedNs)) - Math.min(...forkers.map((f) => f.begunNs))) / 1000;
    const exits = lives * FORKERS.length;
    return { value: us / exits, parts: { exitsPerSecond: (1e6 * exits) / us, passesPerSecond: passes / seconds }, ms: us / 1000 };
  };
  let lives = FIRST_LIVES;
  for (let i = 0; i < CALIBRATION_BLOCKS; i++) {
    const { ms } = await block('unfixed', lives);
    // The first blocks run unoptimised code: never more than twice as much at a time.
    lives = Math.max(1, Math.min(2 * lives, Math.round((lives * load.blockMs) / ms)));
  }
  return {
    measure: async (variant) => {
      const { value, parts } = await block(variant, lives);
      return { value, parts: parts as Record<string, number> };
    },
    dispose: async () => {
      await threads.ask(SCANNER, { do: 'organic-end' });
      await ksmd;
    },
  };
}
