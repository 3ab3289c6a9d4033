/** The threads of the overhead lab, as the main thread sees them. */
import { Worker } from 'node:worker_threads';
import type { BootOptions } from '../../machine/boot.ts';
import { RunFailed, UsageError } from '../errors.ts';
import { type Answers, EXITER, type OverheadThreadData, type Reply, type Request, SCANNER, type Side } from './protocol.ts';

/** Errors of a thread that are the user's to mend. */
const USERS_ERRORS = ['ArenaExhausted', 'VariantError'];

function toError(failed: { name: string; message: string; stack: string }): Error {
  if (USERS_ERRORS.includes(failed.name)) return new UsageError(failed.message);
  const error = new RunFailed(`a measuring thread failed: ${failed.name}: ${failed.message}`);
  error.stack = failed.stack;
  return error;
}

/** One thread; one request at a time. */
class Thread {
  private readonly worker: Worker;
  private waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined;

  constructor(side: Side, boot: Partial<BootOptions>) {
    this.worker = new Worker(new URL(import.meta.resolve('#workers/overhead')), {
      workerData: { side, boot } satisfies OverheadThreadData,
    });
    this.worker.on('message', (reply: Reply) => this.waiting?.resolve(reply));
    this.worker.on('error', (error: Error) =>
      this.waiting?.reject(toError({ name: error.name, message: error.message, stack: error.stack ?? '' })),
    );
    this.worker.on('exit', () => this.waiting?.reject(new RunFailed('a measuring thread ended before its answer')));
  }

  async reply(): Promise<Reply> {
    try {
      return await new Promise<Reply>((resolve, reject) => {
        this.waiting = { resolve, reject };
      });
    } finally {
      this.waiting = undefined;
    }
  }

  send(request: Request): void {
    this.worker.postMessage(request);
  }

  end(): Promise<number> {
    return this.worker.terminate();
  }
}

/** All threads over one memory. */
export class OverheadThreads {
  private readonly threads: Thread[] = [];
  private readonly boot: Partial<BootOptions>;

  private constructor(boot: Partial<BootOptions>) {
    this.boot = boot;
  }

  /** Starts the scanner and the exiter; the scanner makes the memory. */
  static async start(boot: Partial<BootOptions>): Promise<OverheadThreads> {
    const threads = new OverheadThreads({ ...boot });
    try {
      await threads.grow(EXITER + 1);
      return threads;
    } catch (error) {
      await threads.end();
      throw error;
    }
  }

  /** How many there are. */
  get count(): number {
    return this.threads.length;
  }

  /** Starts further ones until there are so many. */
  async grow(count: number): Promise<void> {
    for (let side = this.threads.length; side < count; side++) {
      const thread = new Thread(side, this.boot);
      this.threads.push(thread);
      const first = await thread.reply();
      if (!('ready' in first)) throw new RunFailed('a measuring thread did not start');
      this.boot.arena = first.ready;
    }
  }

  /**
   * Has one thread do something.
   * @throws UsageError when the shared memory or the user's variant is to blame, RunFailed for all else
   */
  async ask<R extends Request>(side: Side, request: R): Promise<Answers[R['do']]> {
    const thread = this.threads[side];
    if (thread === undefined) throw new RunFailed(`there is no measuring thread ${side}`);
    const reply = thread.reply();
    thread.send(request);
    const got = await reply;
    if ('failed' in got) throw toError(got.failed);
    if (!('answer' in got)) throw new RunFailed('a measuring thread answered out of turn');
    return got.answer as Answers[R['do']];
  }

  /** Has both do something at the same time; the first failure ends the wait. */
  async both<A extends Request, B extends Request>(scanner: A, exiter: B): Promise<[Answers[A['do']], Answers[B['do']]]> {
    return Promise.all([this.ask(SCANNER, scanner), this.ask(EXITER, exiter)]);
  }

  async end(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.end()));
  }
}
