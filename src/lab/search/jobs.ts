/** What a search thread can be asked to do. The names are those of the orders in {@link SearchPool}. */
import { exploreAll, exploreBounded } from './explore-jobs.ts';
import { fuzzBlock } from './fuzz-block.ts';
import { guidedBlock } from './guided-block.ts';
import { minimise } from './minimise-job.ts';
import { replay } from './replay.ts';

export const jobs = { fuzzBlock, guidedBlock, replay, minimise, exploreBounded, exploreAll };
export type Jobs = typeof jobs;
export type JobName = keyof Jobs;
/** A job's name and its one argument. */
export type JobOrder = { [N in JobName]: { readonly job: N; readonly order: Parameters<Jobs[N]>[0] } }[JobName];

/** Does a job; the function that Piscina calls. */
export async function runJob({ job, order }: JobOrder): Promise<unknown> {
  return (jobs[job] as (order: unknown) => Promise<unknown>)(order);
}
