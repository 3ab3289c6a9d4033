/** A worker that times our locks in one boot mode. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { BootOptions } from '../src/machine/boot.ts';

/** What the worker is asked: which operation, and about how long the sample takes. */
export interface LockLoopRequest {
  name: string;
  milliseconds: number;
}

export class LockLoops {
  private readonly worker: Worker;

  constructor(boot: Partial<BootOptions>) {
    this.worker = new Worker(new URL('./workers/lock-loops.js', import.meta.url), { workerData: boot });
  }

  /** Nanoseconds of an operation. */
  async sample(name: string, milliseconds: number): Promise<number> {
    const answer = once(this.worker, 'message');
    this.worker.postMessage({ name, milliseconds } satisfies LockLoopRequest);
    return ((await answer) as [number])[0];
  }

  end(): Promise<number> {
    return this.worker.terminate();
  }
}
