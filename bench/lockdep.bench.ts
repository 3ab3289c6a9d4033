/** The validator: what a known chain costs, a large graph, a long cycle. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type BenchOptions, type Row, row } from './bench.ts';
import { LockLoops } from './lock-loops.ts';
import { sideBySide } from './side-by-side.ts';
import type { LoadTimes } from './workers/lockdep-load.ts';

export const name = 'lockdep';
export const about = 'the lock validator: warm path, 10,000 classes, 1 M chains, a cycle of 1,000';

export async function run(options: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const milliseconds = options.quick ? 5 : 20;
  const [on, off] = [new LockLoops({ lockdep: 'on' }), new LockLoops({ lockdep: 'off' })];
  try {
    // mutex, rwsem and spinlock inside each other: three acquires and releases, the last with two held.
    rows.push(
      ...(await sideBySide(options, 'validator', 'mutex, rwsem and spinlock nested', 'ns', [
        { sample: () => on.sample('nested', milliseconds) },
        { peer: 'validator off', sample: () => off.sample('nested', milliseconds) },
      ])),
    );
  } finally {
    await Promise.all([on.end(), off.end()]);
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
