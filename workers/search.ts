/** A search thread: the machine's options first, then the machine. See src/lab/search/jobs.ts. */
import { workerData } from 'piscina';
import type { JobOrder } from '../src/lab/search/jobs.ts';
import { type BootOptions, configureBoot } from '../src/machine/boot.ts';

configureBoot(workerData as Partial<BootOptions>);
const { runJob } = await import('../src/lab/search/jobs.ts');

export default (order: JobOrder): Promise<unknown> => runJob(order);
