/** One writer and three readers on real threads: each lookup gives what was true at some moment of it. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { MT_FLAGS_ALLOC_RANGE, MT_FLAGS_USE_RCU, maple_tree } from '../../../src/kernel/include/maple_tree.ts';
import { mtree_destroy } from '../../../src/kernel/lib/maple-tree/destroy.ts';
import { mt_init_flags } from '../../../src/kernel/lib/maple-tree/init.ts';
import { maple_node_cache } from '../../../src/kernel/lib/maple-tree/node.ts';
import { mt_nr_nodes, mt_validate } from '../../../src/kernel/lib/maple-tree/validate.ts';
import { rcu_barrier } from '../../../src/kernel/rcu.ts';
import { arena, staticStorage } from '../../../src/machine/memory.ts';
import { liveObjects } from '../../../src/machine/slab.ts';

const WRITES = 15_000;
const LOOKUPS = 2000;
const CELLS = 256;
const LOG_BYTES = 4 * (16 + 2 * CELLS + 3 * (WRITES + 2));

describe('RCU readers on other threads', () => {
  it('never see a mix', { timeout: 60_000 }, async () => {
    const mt = staticStorage('test_tree', maple_tree.SIZE).address as Parameters<typeof mt_init_flags>[0];
    mt_init_flags(mt, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
    const log = new SharedArrayBuffer(LOG_BYTES);
    const file = new URL('../../../dist/test/kernel/lib/maple-rcu-worker.js', import.meta.url);
    const workers = [0, 1, 2, 3].map((task) => new Worker(file, { workerData: { arena, log, task, writes: WRITES, lookups: LOOKUPS } }));
    try {
      const results = await Promise.all(
        workers.map(async (worker) => ((await once(worker, 'message')) as [{ lookups: number; wrong: string[] }])[0]),
      );
      expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
      for (const { lookups } of results.slice(1)) expect(lookups).toBeGreaterThanOrEqual(LOOKUPS);
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
    expect(mt_validate(mt)).toEqual([]);
    expect(liveObjects(maple_node_cache)).toBe(mt_nr_nodes(mt));
    mtree_destroy(mt);
    rcu_barrier();
    expect(liveObjects(maple_node_cache)).toBe(0);
  });
});
