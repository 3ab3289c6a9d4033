/** What locks promise, on real threads: counts and invariants, also with more threads than cores. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { arena } from '../../../src/machine/memory.ts';

interface Counts {
  wrong: number;
  together: number;
  busy: number;
  count: number;
  twin: number;
}

/** Runs `threads` threads of the fixture on a memory of their own, started together. */
async function contend(kind: string, threads: number, rounds: number): Promise<Counts[]> {
  // A copy of this thread's memory, in which nothing but the layout has been set up.
  const workers: Worker[] = [];
  const answers: Promise<Counts>[] = [];
  const memory = new SharedArrayBuffer(arena.byteLength);
  new Int32Array(memory).set(new Int32Array(arena));
  for (let task = 0; task < threads; task++) {
    const worker = new Worker(new URL('../../fixtures/lock-worker.mjs', import.meta.url), {
      workerData: { arena: memory, task, kind, rounds },
    });
    workers.push(worker);
    // One after the other: the first one sets the locks up.
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    answers.push(new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)));
  }
  for (const worker of workers) worker.postMessage('go');
  try {
    return await Promise.all(answers);
  } finally {
    for (const worker of workers) await worker.terminate();
  }
}

for (const kind of ['spin', 'trylock', 'mutex']) {
  for (const threads of kind === 'trylock' ? [2] : [2, 8]) {
    test(`${kind}, ${threads} threads: one at a time, no increment lost`, async () => {
      const rounds = 48_000 / threads;
      const counts = await contend(kind, threads, rounds);
      expect(counts.map((c) => c.wrong)).toEqual(counts.map(() => 0));
      const last = Math.max(...counts.map((c) => c.count));
      expect(last).toBe(threads * rounds);
      expect(Math.max(...counts.map((c) => c.twin))).toBe(last);
    });
  }
}

for (const threads of [2, 8]) {
  test(`rw_semaphore, ${threads} threads: readers never beside a writer, no write lost`, async () => {
    const rounds = 48_000 / threads;
    const counts = await contend('rwsem', threads, rounds);
    expect(counts.map((c) => c.wrong)).toEqual(counts.map(() => 0));
    expect(Math.max(...counts.map((c) => c.count))).toBe((threads * rounds) / 4);
  });
}
