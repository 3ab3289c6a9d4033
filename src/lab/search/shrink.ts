/** Shrinks the workload of a finding: fewer tasks, areas, pages, as long as the same signature comes. */
import type { Workload } from '../../kernel/scenarios/scenario.ts';
import type { Minimised, MinimiseOrder } from './minimise-job.ts';
import { type SearchBoot, SearchPool } from './pool.ts';
import type { Subject } from './session.ts';
import type { Token } from './token.ts';

/** A finding made as small as it gets. */
export interface Shrunk extends Minimised {
  readonly subject: Subject;
}

/** Smaller workloads to try, the most promising first. */
function smaller(workload: Workload, leastTasks: number): Workload[] {
  const out: Workload[] = [];
  const halves = (n: number) => (n > 2 ? [1, Math.floor(n / 2), n - 1] : n > 1 ? [1] : []);
  for (let tasks = leastTasks; tasks < workload.tasks; tasks++) out.push({ ...workload, tasks });
  for (const vmas of halves(workload.vmas)) out.push({ ...workload, vmas });
  for (const pages of halves(workload.pages)) out.push({ ...workload, pages });
  if (workload.scanned) out.push({ ...workload, scanned: false });
  return out;
}

/** Minimises on a thread of its own. */
async function alone(order: MinimiseOrder, boot: SearchBoot): Promise<Minimised | undefined> {
  const pool = new SearchPool(1, boot);
  try {
    return await pool.run('minimise', order);
  } finally {
    await pool.end();
  }
}

/**
 * Makes a schedule and its workload as small as they get. Each workload gets a thread of its own.
 * @param leastTasks  of the scenario
 * @param said  told of each step that succeeded
 * @returns undefined when the schedule finds nothing
 */
export async function shrink(
  subject: Subject,
  schedule: Token['schedule'],
  leastTasks: number,
  boot: SearchBoot,
  said: (now: Shrunk) => void,
): Promise<Shrunk | undefined> {
  const first = await alone({ ...subject, schedule }, boot);
  if (first === undefined) return undefined;
  let best: Shrunk = { ...first, subject };
  said(best);
  for (let again = true; again; ) {
    again = false;
    for (const workload of smaller(best.subject.workload, leastTasks)) {
      const { minimal, signature } = best;
      const candidate = { scenario: subject.scenario, workload };
      const result = await alone({ ...candidate, schedule: minimal.runs, signature, searchBound: minimal.preemptions }, boot);
      if (result === undefined || result.minimal.preemptions > minimal.preemptions) continue;
      best = { ...result, subject: candidate };
      said(best);
      again = true;
      break;
    }
  }
  return best;
}
