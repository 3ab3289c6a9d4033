/** What a search thread can be asked to do. The names are those of the orders in {@link SearchPool}. */
import { ArenaExhausted, VariantError } from '../../machine/errors.ts';
import { UsageError } from '../errors.ts';
import { exploreAll, exploreBounded } from './explore-jobs.ts';
import { fuzzBlock } from './fuzz-block.ts';
import { guidedBlock } from './guided-block.ts';
import { minimise } from './minimise-job.ts';
import { procFilesOf } from './proc-files-job.ts';
import { replay } from './replay.ts';

export const jobs = { fuzzBlock, guidedBlock, replay, minimise, exploreBounded, exploreAll, procFilesOf };
export type Jobs = typeof jobs;
export type JobName = keyof Jobs;
/** A job's name and its one argument. */
export type JobOrder = { [N in JobName]: { readonly job: N; readonly order: Parameters<Jobs[N]>[0] } }[JobName];

/** What comes back: errors lose their class on the way between threads, so what is the user's to mend is told as data. */
export type JobAnswer = { readonly value: unknown } | { readonly usersFault: string };

/** Does a job; the function that Piscina calls. */
export async function runJob({ job, order }: JobOrder): Promise<JobAnswer> {
  try {
    return { value: await (jobs[job] as (order: unknown) => Promise<unknown>)(order) };
  } catch (error) {
    if (error instanceof ArenaExhausted) return { usersFault: 'a search thread holds no more: use fewer VMAs, pages or tasks' };
    if (error instanceof UsageError || error instanceof VariantError) return { usersFault: error.message };
    throw error;
  }
}
