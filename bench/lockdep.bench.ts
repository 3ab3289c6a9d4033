/** The validator: what a known chain costs, a large graph, a long cycle. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type BenchOptions, type Row, row } from './bench.ts';
import { sideBySide } from './side-by-side.ts';
import type { LoadTimes } from './workers/lockdep-load.ts';

export const name = 'lockdep';
export const about = 'the lock validator: warm path, 10,000 classes, 1 M chains, a cycle of 1,000';

/** A worker that times our locks in one boot mode. */
function loops(lockdep: 'on' | 'off'): Worker {
  return new Worker(new URL('./workers/lock-loops.js', import.meta.url), { workerData: { lockdep } });
}

async function sample(worker: Worker, loop: string, count: number): Promise<number> {
  const answer = once(worker, 'message');
  worker.postMessage({ name: loop, count });
  return ((await answer) as [number])[0];
}

export async function run(options: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const count = options.quick ? 200_000 : 1_000_000;
  const [on, off] = [loops('on'), loops('off')];
  try {
    // mutex, rwsem and spinlock inside each other: three acquires and releases, the last with two held.
    rows.push(
      ...(await sideBySide(options, 'validator', 'mutex, rwsem and spinlock nested', 'ns', [
        { sample: () => sample(on, 'nested', count) },
        { peer: 'validator off', sample: () => sample(off, 'nested', count) },
      ])),
    );
  } finally {
    await Promise.all([on.terminate(), off.terminate()]);
  }
  const load = new Worker(new URL('./workers/lockdep-load.js', import.meta.url));
  try {
    const times: LoadTimes[] = [];
    for (let i = 0; i < (options.quick ? 1 : 3); i++) {
      const answer = once(load, 'message');
      load.postMessage('run');
      times.push(((await answer) as [LoadTimes])[0]);
    }
    const [{ classes, dependencies, chains, reports }] = times as [LoadTimes];
    if (reports.join() !== 'circular-dependency') throw new Error(`the large graph gave ${reports.join() || 'no report'}`);
    const size = `${classes} classes, ${dependencies} dependencies, ${chains} chains`;
    rows.push(
      row(
        'validator',
        `builds ${size}`,
        'ms',
        times.map((time) => time.buildMs),
      ),
    );
    rows.push(
      row(
        'validator',
        'finds and reports a cycle of 1000 classes',
        'ms',
        times.map((time) => time.cycleMs),
      ),
    );
  } finally {
    await load.terminate();
  }
  return rows;
}
