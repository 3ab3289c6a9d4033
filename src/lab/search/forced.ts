/**
 * A schedule that was found by search, on real threads: one per task, one running at a time, handing over where the
 * schedule says so. What happens in one thread happens so on many.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { set_task_comm, task_struct, taskOf } from '../../kernel/include/task_struct.ts';
import { readReports } from '../../kernel/printk.ts';
import { findScenario } from '../../kernel/scenarios/index.ts';
import { SETUP_TASK } from '../../kernel/scenarios/scenario.ts';
import type { BootOptions } from '../../machine/boot.ts';
import { set } from '../../machine/door.ts';
import { setForcedSchedule } from '../../machine/forced.ts';
import { arena } from '../../machine/memory.ts';
import { setCurrent } from '../../machine/task-area.ts';
import { stopAllWaits } from '../../machine/wait.ts';
import { RunFailed } from '../errors.ts';
import { FIRST_PID } from './engine-limits.ts';
import type { FindingInfo } from './findings.ts';
import type { Subject } from './session.ts';
import type { Run } from './token.ts';

/** What a forced thread is told. */
export interface ForcedOrder extends Subject {
  readonly boot: Partial<BootOptions>;
  readonly index: number;
}

export interface Forced {
  readonly threads: number;
  readonly found: readonly FindingInfo[];
  /** The threads came to the end of the schedule; false: they had to be stopped. */
  readonly fits: boolean;
}

/** A schedule that fits is over in milliseconds. */
const PATIENCE_MS = 10_000;

/**
 * Plays `runs` on real threads, over the memory of this process. Once per process.
 * @param runs  the whole schedule, to the end of every task
 * @param variantModule  URL of the user's module, for a variant of the user's own
 * @throws RunFailed when a thread dies
 */
export async function replayOnThreads(
  { scenario: name, workload }: Subject,
  runs: readonly Run[],
  variantModule?: string,
): Promise<Forced> {
  const scenario = findScenario(name);
  if (scenario === undefined) throw new RunFailed(`there is no scenario ${name}`);
  const tasks = scenario.tasks(workload);
  setCurrent(SETUP_TASK);
  scenario.setUp(workload);
  for (const [t, task] of tasks.entries()) {
    set_task_comm(taskOf(t), task.name);
    set(taskOf(t), task_struct.pid, FIRST_PID + t);
  }
  setForcedSchedule(runs);
  const known = new Set(readReports().map(({ slot }) => slot));
  const threads = tasks.map((_, index) => {
    const order: ForcedOrder = {
      scenario: name,
      workload,
      index,
      boot: { arena, lockdep: 'on', forced: true, task: index, variantModule },
    };
    return new Worker(new URL(import.meta.resolve('#workers/forced')), { workerData: order });
  });
  const timer = setTimeout(stopAllWaits, PATIENCE_MS);
  try {
    const ends = await Promise.all(
      threads.map(async (thread) => {
        const [end] = (await once(thread, 'message')) as [string | undefined];
        return end;
      }),
    );
    const failed = ends.find((end) => end !== undefined && end !== 'stopped');
    if (failed !== undefined) throw new RunFailed(`a thread of the forced schedule failed: ${failed}`);
    const fits = ends.every((end) => end === undefined);
    setCurrent(SETUP_TASK);
    const broken = fits ? scenario.check(workload) : [];
    return { threads: threads.length, fits, found: [...reports(known), ...broken.map(invariant)] };
  } finally {
    clearTimeout(timer);
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

function reports(known: ReadonlySet<number>): FindingInfo[] {
  return readReports()
    .filter(({ slot }) => !known.has(slot))
    .map(({ kind, title, key, lines }) => ({ kind, title, signature: `${kind}: ${key}`, lines }));
}

function invariant(sentence: string): FindingInfo {
  return { kind: 'invariant', title: sentence, signature: `invariant: ${sentence}`, lines: [] };
}
