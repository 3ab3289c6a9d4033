/** Merging on real threads: processes write and exit while ksmd merges and passes break apart. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { run_store } from '../../../src/kernel/mm/ksm.ts';
import { checkKsm } from '../../../src/kernel/mm/ksm-check.ts';
import { set_ksm_variant } from '../../../src/kernel/mm/ksm-variants.ts';
import { arena } from '../../../src/machine/memory.ts';
import { slabInfo } from '../../../src/machine/slab.ts';

interface Answer {
  wrong: number;
  done: number;
}

/** Runs a thread; `started` when it waits to begin, `answer` when it is through. */
function thread(workerData: object): { worker: Worker; ready: Promise<unknown>; answer: Promise<Answer> } {
  const worker = new Worker(new URL('../../fixtures/merge-worker.mjs', import.meta.url), { workerData: { arena, ...workerData } });
  const messages: unknown[] = [];
  const waiting: ((message: unknown) => void)[] = [];
  worker.on('message', (message) => (waiting.length > 0 ? waiting.shift()?.(message) : messages.push(message)));
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      worker.once('error', reject);
      if (messages.length > 0) resolve(messages.shift());
      else waiting.push(resolve);
    });
  const ready = next();
  return { worker, ready, answer: ready.then(next) as Promise<Answer> };
}

test('no process ever sees content that it did not write, and nothing is left behind', async () => {
  set_ksm_variant('fixed');
  run_store('1');
  const rounds = Number(process.env.KSMRACE_SOAK_ROUNDS ?? 40);
  const threads = [
    thread({ task: 1, kind: 'process', rounds, pages: 6 }),
    thread({ task: 2, kind: 'process', rounds, pages: 6 }),
    thread({ task: 3, kind: 'ksmd', rounds: rounds * 20 }),
    thread({ task: 4, kind: 'toggler', rounds: rounds * 2 }),
  ];
  await Promise.all(threads.map(({ ready }) => ready));
  for (const { worker } of threads) worker.postMessage('go');
  const answers = await Promise.all(threads.map(({ answer }) => answer));
  expect(answers.map(({ wrong }) => wrong)).toEqual([0, 0, 0, 0]);
  expect(answers[0]?.done).toBe(rounds);
  run_store('0');
  run_store('2');
  run_store('0');
  expect(checkKsm()).toEqual([]);
  const { mm_struct, page, ksm_rmap_item, ksm_stable_node, anon_vma, ksm_mm_slot } = slabInfo();
  expect({ mm_struct, page, ksm_rmap_item, ksm_stable_node, anon_vma, ksm_mm_slot }).toEqual({
    mm_struct: 0,
    page: 0,
    ksm_rmap_item: 0,
    ksm_stable_node: 0,
    anon_vma: 0,
    ksm_mm_slot: 0,
  });
});
