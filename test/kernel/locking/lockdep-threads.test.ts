/** Four threads validate on one graph at the same time. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { counted, debugLocks, NR_CHAINS, NR_CLASSES, NR_LIST_ENTRIES } from '../../../src/kernel/locking/lockdep/internals.ts';
import { SYSTEM_BOOTING, set_system_state } from '../../../src/kernel/locking/might_sleep.ts';
import '../../../src/lab/selftest-lockdep/run-vector.ts';
import { arena } from '../../../src/machine/memory.ts';

const THREADS = 4;
const vectors = new URL('../../fixtures/lockdep/vectors.jsonl.gz', import.meta.url).pathname;
const worker = new URL('../../../dist/test/kernel/locking/lockdep-worker.js', import.meta.url);

function run(index: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(worker, { workerData: { arena, vectors, index, threads: THREADS } });
    thread.once('message', resolve);
    thread.once('error', reject);
  });
}

test('every verdict is the same as on a graph of its own', async () => {
  set_system_state(SYSTEM_BOOTING);
  const wrong = await Promise.all(Array.from({ length: THREADS }, (_, i) => run(i + 1)));
  expect(wrong.flat()).toEqual([]);
  expect(debugLocks()).toBe(true);
  // Every class, dependency and chain of every thread is in the one graph.
  expect(counted(NR_CLASSES)).toBeGreaterThan(THREADS * 500);
  expect(counted(NR_LIST_ENTRIES) % 2).toBe(0);
  expect(counted(NR_CHAINS)).toBeGreaterThan(THREADS * 1000);
});
