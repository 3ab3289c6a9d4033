/** Search threads: one engine each, in a pool of Piscina's. */
import { Piscina } from 'piscina';
import type { BootOptions } from '../../machine/boot.ts';
import { UsageError } from '../errors.ts';
import type { Code } from './code-hash.ts';
import type { JobAnswer, JobName, Jobs } from './jobs.ts';

/** Shared memory of a search thread; it is the thread's own. */
const ARENA_BYTES = 32 << 20;

export interface SearchBoot extends Code {
  readonly lockdep: BootOptions['lockdep'];
  /** Flight recorder, for diagrams. */
  readonly record?: boolean;
  /** Race detection. */
  readonly races?: boolean;
  /** What must hold of KSM is checked after each schedule. */
  readonly checkPages?: boolean;
  /** URL of a user's variant in stepped form, and as it is, for real threads. */
  readonly variantModule?: string | undefined;
  readonly plainVariantModule?: string | undefined;
}

export class SearchPool {
  readonly threads: number;
  private readonly pool: Piscina;

  constructor(threads: number, boot: SearchBoot) {
    this.threads = threads;
    // What is for others to know (hashes, the module for real threads) is no option of the machine.
    const { variantHash: _hash, plainVariantModule: _plain, ...machine } = boot;
    const options: Partial<BootOptions> = {
      ...machine,
      stepped: true,
      heapCheck: true,
      arenaBytes: ARENA_BYTES,
    };
    this.pool = new Piscina({
      filename: import.meta.resolve('#workers/search'),
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      workerData: options,
    });
  }

  /** Has a thread do a job. @throws UsageError for what is the user's to mend */
  async run<N extends JobName>(job: N, order: Parameters<Jobs[N]>[0]): Promise<Awaited<ReturnType<Jobs[N]>>> {
    const answer = (await this.pool.run({ job, order })) as JobAnswer;
    if ('usersFault' in answer) throw new UsageError(answer.usersFault);
    return answer.value as Awaited<ReturnType<Jobs[N]>>;
  }

  end(): Promise<void> {
    return this.pool.destroy();
  }
}
