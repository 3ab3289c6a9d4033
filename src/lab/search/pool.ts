/** Search threads: one engine each, in a pool of Piscina's. */
import { Piscina } from 'piscina';
import type { BootOptions } from '../../machine/boot.ts';
import type { JobName, Jobs } from './jobs.ts';

/** Shared memory of a search thread; it is the thread's own. */
const ARENA_BYTES = 32 << 20;

export interface SearchBoot {
  readonly lockdep: BootOptions['lockdep'];
  /** Flight recorder, for diagrams. */
  readonly record?: boolean;
  /** Race detection. */
  readonly races?: boolean;
  readonly variantModule?: string | undefined;
}

export class SearchPool {
  readonly threads: number;
  private readonly pool: Piscina;

  constructor(threads: number, boot: SearchBoot) {
    this.threads = threads;
    const options: Partial<BootOptions> = { ...boot, stepped: true, heapCheck: true, arenaBytes: ARENA_BYTES };
    this.pool = new Piscina({
      filename: import.meta.resolve('#workers/search'),
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      workerData: options,
    });
  }

  /** Has a thread do a job. */
  run<N extends JobName>(job: N, order: Parameters<Jobs[N]>[0]): ReturnType<Jobs[N]> {
    return this.pool.run({ job, order }) as ReturnType<Jobs[N]>;
  }

  end(): Promise<void> {
    return this.pool.destroy();
  }
}
