/**
 * The validator under a large graph, in a thread whose memory has room for it: `workerData` is nothing, answers are one
 * object per message `run`, in ms.
 */
import { parentPort } from 'node:worker_threads';
import { configureBoot } from '../../src/machine/boot.ts';

configureBoot({ arenaBytes: 512 << 20, lockdepClasses: 20_000, lockdepEntries: 260_000, lockdepChains: 1_200_000 });
const { NULL } = await import('../../src/machine/layout.ts');
const { sbrk } = await import('../../src/machine/memory.ts');
const { current } = await import('../../src/kernel/include/task_struct.ts');
const { counted, lockdep_reset, NR_CHAINS, NR_CLASSES, NR_LIST_ENTRIES } = await import('../../src/kernel/locking/lockdep/internals.ts');
const { lock_acquire, lock_release, lockdep_init_map } = await import('../../src/kernel/locking/lockdep/lockdep.ts');
const { lockdep_init_task } = await import('../../src/kernel/locking/lockdep/asserts.ts');
const { lock_class_key, lockdep_map, LD_WAIT_CONFIG, LD_WAIT_INV } = await import('../../src/kernel/locking/lockdep/types.ts');
const { clearReports, readReports } = await import('../../src/kernel/printk.ts');

type Map = Parameters<typeof lock_acquire>[0];
type Key = Parameters<typeof lockdep_init_map>[2];

/** What one run took, and how large the graph became. */
export interface LoadTimes {
  classes: number;
  dependencies: number;
  chains: number;
  reports: string[];
  buildMs: number;
  cycleMs: number;
}

const CLASSES = 9000;
const BLOCK = 90;
const RING = 1000;
const room = sbrk((CLASSES + RING) * (lockdep_map.SIZE + lock_class_key.SIZE), 8, 'locks');

function newLock(i: number): Map {
  const map = (room + i * (lockdep_map.SIZE + lock_class_key.SIZE)) as Map;
  lockdep_init_map(map, `L${i}`, (map + lockdep_map.SIZE) as unknown as Key, 0, LD_WAIT_CONFIG, LD_WAIT_INV, 0);
  return map;
}

function take(map: Map): void {
  lock_acquire(map, 0, 0, 0, 1, NULL);
}

/** Takes pairs and triples in rising order within blocks: ~100,000 dependencies, ~1 M chains, no cycle. */
function build(locks: readonly Map[]): void {
  for (let block = 0; block < locks.length; block += BLOCK) {
    for (let x = 0; x < BLOCK; x++) {
      take(locks[block + x] as Map);
      for (let y = x + 1; y < Math.min(BLOCK, x + 13); y++) {
        take(locks[block + y] as Map);
        for (let z = y + 1; z < Math.min(BLOCK, x + 13); z++) {
          take(locks[block + z] as Map);
          if (z + 1 < Math.min(BLOCK, x + 13)) {
            take(locks[block + z + 1] as Map);
            lock_release(locks[block + z + 1] as Map);
          }
          lock_release(locks[block + z] as Map);
        }
        lock_release(locks[block + y] as Map);
      }
      lock_release(locks[block + x] as Map);
    }
  }
}

function run(): LoadTimes {
  lockdep_init_task(current());
  lockdep_reset();
  clearReports();
  let start = performance.now();
  build(Array.from({ length: CLASSES }, (_, i) => newLock(i)));
  const buildMs = performance.now() - start;
  const ring = Array.from({ length: RING }, (_, i) => newLock(CLASSES + i));
  for (let i = 0; i + 1 < RING; i++) {
    take(ring[i] as Map);
    take(ring[i + 1] as Map);
    lock_release(ring[i + 1] as Map);
    lock_release(ring[i] as Map);
  }
  const last = ring[RING - 1] as Map;
  take(last);
  start = performance.now();
  take(ring[0] as Map);
  const cycleMs = performance.now() - start;
  return {
    classes: counted(NR_CLASSES),
    dependencies: counted(NR_LIST_ENTRIES) / 2,
    chains: counted(NR_CHAINS),
    reports: readReports().map((report) => report.kind),
    buildMs,
    cycleMs,
  };
}

parentPort?.on('message', () => parentPort?.postMessage(run()));
