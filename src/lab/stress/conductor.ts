/**
 * What the command line talks to: one conductor thread per world. It sets up the machine as ordered and stays
 * responsive while the tasks run, so that progress and Ctrl-C work. Errors are answered as data.
 */
import { configureBoot } from '../../machine/boot.ts';
import { ArenaExhausted, VariantError } from '../../machine/errors.ts';
import type { Counts, Failure, Progress, WorldOrder, WorldResult } from './orders.ts';
import type { World } from './world.ts';

const nothing: Counts = {
  trials: 0,
  exits: 0,
  passes: 0,
  killed: 0,
  visits: 0,
  hits: { total: 0, slotLeftBehind: 0, destroyedWhileWaiting: 0, cursorWindow: 0 },
  trialsWithReport: 0,
  reports: 0,
};

/** Area of this thread where a scenario has the first ones. */
const CONDUCTOR_TASK = 62;

/** Records per ring: an organic report looks back over many lives. */
const RING_PAIRED = 1024;
const RING_ORGANIC = 8192;

let world: World | undefined;

function failed(error: unknown): WorldResult {
  const message = error instanceof Error ? error.message : String(error);
  const failure: Failure = { blame: error instanceof ArenaExhausted || error instanceof VariantError ? 'usage' : 'failed', message };
  return { counts: nothing, findings: [], seconds: 0, stopped: false, failure };
}

/** The conductor's side of the Comlink connection. */
export const conductor = {
  /** Sets up a world and runs it to its end; once per thread. */
  async run(order: WorldOrder): Promise<WorldResult> {
    try {
      configureBoot({
        arenaBytes: order.arena * 2 ** 20,
        delay: order.delay,
        lockdep: order.lockdep,
        ...order.limits,
        heapCheck: order.checks.heap,
        refCheck: order.checks.refs,
        ...(order.pageBytes > 0 ? { pageBytes: order.pageBytes } : {}),
        record: order.record,
        ringRecords: order.shape === 'organic' ? RING_ORGANIC : RING_PAIRED,
        variantModule: order.variantModule,
        task: order.shape === 'scenario' ? CONDUCTOR_TASK : undefined,
      });
      const { World: Made } = await import('./world.ts');
      const { variantLoaded } = await import('../../kernel/mm/ksm-user-variant.ts');
      await variantLoaded();
      world = new Made(order);
      const result = await world.run();
      if (order.lockdep === 'off') return result;
      const { procFiles } = await import('../proc-lockdep.ts');
      return { ...result, proc: procFiles() };
    } catch (error) {
      return failed(error);
    }
  },

  /** Counts and findings so far. */
  progress(): Progress {
    return world?.progress() ?? { counts: nothing, findings: [] };
  },

  /** Ends the run early; {@link run} then answers within a second. */
  stop(): void {
    world?.stop();
  },
};

export type Conductor = typeof conductor;
