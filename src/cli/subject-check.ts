/** What a token, a certificate or a checkpoint is about, held against the scenarios that there are and what a thread can hold. */
import type { Scenario } from '../kernel/scenarios/scenario.ts';
import { UsageError } from '../lab/errors.ts';
import type { Subject } from '../lab/search/session.ts';

/** Most VMAs and pages of a search: what an engine's memory holds. */
export const MOST_VMAS = 512;
export const MOST_PAGES = 512;
/** Any limit above what an engine's memory holds is none. */
export const MOST_FRAMES = 2 ** 20;
const MOST_PROCESSES = 64;

/**
 * @param what  e.g. `the token`
 * @returns the scenario
 * @throws UsageError
 */
export async function checkSubject({ scenario: name, workload }: Subject, what: string): Promise<Scenario> {
  const { scenarios } = await import('../kernel/scenarios/index.ts');
  const scenario = scenarios.find((s) => s.name === name);
  if (scenario === undefined) {
    throw new UsageError(`${what} is for scenario ${name}, which is none of ${scenarios.map((s) => s.name).join(', ')}`);
  }
  const { variant, tasks, vmas, pages, processes, frames = 0 } = workload;
  if (!scenario.variants.includes(variant)) {
    throw new UsageError(`${what} is for variant ${variant}, and ${name} has ${scenario.variants.join(', ')}`);
  }
  const [least, most] = scenario.taskLimits;
  if (tasks < least || tasks > most) throw new UsageError(`${what} is for ${tasks} tasks, and ${name} has ${least} to ${most}`);
  const numbers: [string, number, number][] = [
    ['areas', vmas, MOST_VMAS],
    ['pages', pages, MOST_PAGES],
    ['processes', processes, MOST_PROCESSES],
    ['page frames', frames, MOST_FRAMES],
  ];
  for (const [of, n, limit] of numbers) {
    if (n < 0 || n > limit) throw new UsageError(`${what} is for ${n} ${of}, and a search thread holds at most ${limit}`);
  }
  return scenario;
}
