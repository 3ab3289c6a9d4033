/** The deadlock of 2009 on real threads, as the hung task detector sees it; and today's kernel, which gets through. */
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import { hungTaskLines, isWaiting } from '../../../src/kernel/hung_task.ts';
import { oom2009 } from '../../../src/kernel/scenarios/oom-2009.ts';
import { SETUP_TASK, type Workload } from '../../../src/kernel/scenarios/scenario.ts';
import { arena } from '../../../src/machine/memory.ts';
import { setCurrent } from '../../../src/machine/task-area.ts';
import { stopAllWaits } from '../../../src/machine/wait.ts';

const workers: Worker[] = [];
afterAll(() => Promise.all(workers.map((worker) => worker.terminate())));

/** Two threads that play the tasks of a variant, each trial one round. */
async function players(workload: Workload): Promise<{ round: () => Promise<unknown[]> }> {
  const pair = [0, 1].map(
    (task) =>
      new Worker(new URL('../../fixtures/scenario-worker.mjs', import.meta.url), {
        workerData: { arena, task, scenario: 'oom-2009', workload },
      }),
  );
  workers.push(...pair);
  for (const worker of pair) {
    worker.once('error', (error) => {
      throw error;
    });
  }
  const answers = () =>
    Promise.all(
      pair.map(
        (worker) =>
          new Promise((resolve) => {
            worker.once('message', resolve);
          }),
      ),
    );
  await answers();
  return {
    round() {
      const through = answers();
      for (const worker of pair) worker.postMessage('go');
      return through;
    },
  };
}

const workload = (variant: string): Workload => ({ variant, tasks: 2, vmas: 1, pages: 8, processes: 0, scanned: true });

test('fixed: every trial ends, and nothing is left', async () => {
  setCurrent(SETUP_TASK);
  const fixed = workload('fixed');
  const { round } = await players(fixed);
  for (let trial = 0; trial < 100; trial++) {
    oom2009.setUp(fixed);
    expect(await round()).toEqual(['done', 'done']);
    expect(oom2009.check(fixed)).toEqual([]);
    oom2009.tearDown(fixed);
  }
});

test('pre-fix: both tasks hang, the pass in the allocator, the exit at the mutex of the pass', async () => {
  setCurrent(SETUP_TASK);
  const old = workload('pre-fix');
  const { round } = await players(old);
  let hung = false;
  for (let trial = 0; trial < 200 && !hung; trial++) {
    oom2009.setUp(old);
    const through = round();
    // Neither runs nor will: seen waiting at every look for a fifth of a second.
    let looks = 0;
    const watch = setInterval(() => {
      looks = isWaiting(0) && isWaiting(1) ? looks + 1 : 0;
    }, 10);
    const ended = await Promise.race([
      through,
      new Promise<string>((resolve) => {
        const poll = setInterval(() => {
          if (looks < 20) return;
          clearInterval(poll);
          resolve('hung');
        }, 10);
        void through.then(() => clearInterval(poll));
      }),
    ]);
    clearInterval(watch);
    hung = ended === 'hung';
    if (!hung) oom2009.tearDown(old);
  }
  expect(hung).toBe(true);
  const report = hungTaskLines([0, 1], 1).join('\n');
  stopAllWaits();
  expect(report).toContain('__alloc_pages_slowpath');
  expect(report).toContain('__ksm_exit_2009');
  expect(report).toMatch(/ksm_thread_mutex/);
});
