/** One task of a forced schedule, on its own thread. Load it after configureBoot (see workers/forced.ts). */
import { variantLoaded } from '../../kernel/mm/ksm-user-variant.ts';
import { findScenario } from '../../kernel/scenarios/index.ts';
import { RunStopped } from '../../machine/errors.ts';
import { forcedEnd } from '../../machine/forced.ts';
import { setCurrent } from '../../machine/task-area.ts';
import type { ForcedOrder } from './forced.ts';

/** Plays it; gives the error's text, `stopped`, or nothing. */
export async function playForcedTask({ scenario, workload, index }: ForcedOrder): Promise<string | undefined> {
  setCurrent(index);
  try {
    await variantLoaded();
    findScenario(scenario)?.tasks(workload)[index]?.run(workload, index);
    return undefined;
  } catch (error) {
    if (error instanceof RunStopped) return 'stopped';
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    forcedEnd(index);
  }
}
