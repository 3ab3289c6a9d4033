/** A thread of one boot mode that times the maple tree, on request. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BootOptions, configureBoot } from '../../src/machine/boot.ts';

configureBoot({ arenaBytes: 256 << 20, lockdep: 'off', ...(workerData as Partial<BootOptions>) });
const { MT_FLAGS_ALLOC_RANGE, MT_FLAGS_LOCK_EXTERN, MT_FLAGS_USE_RCU, maple_tree } = await import('../../src/kernel/include/maple_tree.ts');
const { ULONG_MAX } = await import('../../src/kernel/include/mm_types.ts');
const { mas_destroy, mas_expected_entries } = await import('../../src/kernel/lib/maple-tree/bulk.ts');
const { __mt_destroy } = await import('../../src/kernel/lib/maple-tree/destroy.ts');
const { mt_init_flags } = await import('../../src/kernel/lib/maple-tree/init.ts');
const { mas_find, mas_next } = await import('../../src/kernel/lib/maple-tree/iterate.ts');
const { mtree_load, mtree_store_range } = await import('../../src/kernel/lib/maple-tree/normal-api.ts');
const { maple_node } = await import('../../src/kernel/lib/maple-tree/node.ts');
const { MA_STATE, mas_set, mas_set_range } = await import('../../src/kernel/lib/maple-tree/state.ts');
const { mt_nr_nodes } = await import('../../src/kernel/lib/maple-tree/validate.ts');
const { mas_walk } = await import('../../src/kernel/lib/maple-tree/walk.ts');
const { mas_erase, mas_store_gfp } = await import('../../src/kernel/lib/maple-tree/write.ts');
const { arena, i32, staticStorage } = await import('../../src/machine/memory.ts');
const { randomKeys, shuffledKeys, STRIDE } = await import('../peers/range-keys.ts');

const mt = staticStorage('bench_tree', maple_tree.SIZE).address as Parameters<typeof mt_init_flags>[0];
const FLAGS = MT_FLAGS_ALLOC_RANGE | MT_FLAGS_LOCK_EXTERN;
const mas = MA_STATE(mt, 0, 0);

/** Entry of the range that begins at `first`. */
function entryAt(first: number): number {
  return (first / STRIDE + 1) * 4;
}

function fill(keys: Float64Array): void {
  for (let i = 0; i < keys.length; i++) {
    const first = keys[i] as number;
    mas_set_range(mas, first, first + STRIDE / 2 - 1);
    mas_store_gfp(mas, entryAt(first));
  }
}

function eraseAll(keys: Float64Array): void {
  for (let i = 0; i < keys.length; i++) {
    mas_set(mas, keys[i] as number);
    mas_erase(mas);
  }
}

const loops: Record<string, (keys: Float64Array) => number> = {
  load: (keys) => {
    let sum = 0;
    for (let i = 0; i < keys.length; i++) sum += mtree_load(mt, keys[i] as number);
    return sum;
  },
  walk: (keys) => {
    let sum = 0;
    for (let i = 0; i < keys.length; i++) {
      mas_set(mas, keys[i] as number);
      sum += mas_walk(mas);
    }
    return sum;
  },
  find: () => {
    let sum = 0;
    mas_set(mas, 0);
    for (let entry = mas_find(mas, ULONG_MAX); entry !== 0; entry = mas_find(mas, ULONG_MAX)) sum += entry;
    return sum;
  },
  next: () => {
    let sum = 0;
    mas_set(mas, 0);
    for (let entry = mas_next(mas, ULONG_MAX); entry !== 0; entry = mas_next(mas, ULONG_MAX)) sum += entry;
    return sum;
  },
};

/** Times `body` alone; `before` and `after` each time are not counted. @returns ns per key */
function timed(keys: Float64Array, rounds: number, before: () => void, body: () => void, after: () => void): number {
  let ns = 0n;
  for (let i = 0; i < rounds; i++) {
    before();
    const start = process.hrtime.bigint();
    body();
    ns += process.hrtime.bigint() - start;
    after();
  }
  return Number(ns) / rounds / keys.length;
}

function measure(what: string, n: number, count: number): number {
  const keys = shuffledKeys(n);
  const rounds = Math.max(1, Math.round(count / n));
  mt_init_flags(mt, FLAGS);
  const none = () => {};
  const empty = () => {
    __mt_destroy(mt);
    mt_init_flags(mt, FLAGS);
  };
  if (what === 'store') return timed(keys, rounds, none, () => fill(keys), empty);
  if (what === 'erase')
    return timed(
      keys,
      rounds,
      () => fill(keys),
      () => eraseAll(keys),
      none,
    );
  if (what === 'destroy') return timed(keys, rounds, () => fill(keys), empty, none);
  keys.sort();
  const build = () => {
    fill(keys);
    empty();
  };
  if (what === 'build') return n * timed(keys, rounds, none, build, none);
  if (what === 'bulk') {
    const bulk = () => {
      mas_expected_entries(mas, n);
      fill(keys);
      mas_destroy(mas);
      empty();
    };
    return n * timed(keys, rounds, none, bulk, none);
  }
  fill(shuffledKeys(n));
  if (what === 'bytes') return (mt_nr_nodes(mt) * maple_node.SIZE) / n;
  const probes = what === 'load' || what === 'walk' ? randomKeys(n) : keys;
  const loop = loops[what] as (keys: Float64Array) => number;
  const ns = timed(probes, Math.max(1, Math.round(count / probes.length)), none, () => loop(probes), none);
  empty();
  return ns;
}

const rcuTrees = ['read', 'other'].map((name) => staticStorage(`bench_rcu_tree_${name}`, maple_tree.SIZE).address as typeof mt);
const [readTree, otherTree] = rcuTrees as [typeof mt, typeof mt];
/** Non-zero: the writer is to end. */
const stop = staticStorage('bench_stop', 64).address >> 2;
const RCU_RANGES = 1000;

/** Writes into an RCU tree until told to stop. @returns writes made */
function writeUntilStopped(tree: typeof mt): number {
  const keys = shuffledKeys(RCU_RANGES);
  let writes = 0;
  while (Atomics.load(i32, stop) === 0) {
    for (const key of keys) mtree_store_range(tree, key, key + STRIDE / 2 - 1 - (writes++ & 1023), entryAt(key));
  }
  return writes;
}

/** Lookups per second in the RCU tree, for `ms` milliseconds; then tells a writer to stop. */
function readFor(ms: number): number {
  const probes = randomKeys(RCU_RANGES);
  const start = performance.now();
  let lookups = 0;
  let sum = 0;
  while (performance.now() - start < ms) {
    for (let i = 0; i < 1000; i++) sum += mtree_load(readTree, probes[lookups++ & (probes.length - 1)] as number);
  }
  const seconds = (performance.now() - start) / 1000;
  Atomics.store(i32, stop, 1);
  return sum === 0 ? 0 : lookups / seconds;
}

function makeRcuTrees(): number {
  for (const tree of rcuTrees) {
    mt_init_flags(tree, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
    for (const key of shuffledKeys(RCU_RANGES)) mtree_store_range(tree, key, key + STRIDE / 2 - 1, entryAt(key));
  }
  return 0;
}

/** What can be asked for, beside the measurements of {@link measure}. */
const requests: Record<string, (n: number) => unknown> = {
  arena: () => arena,
  rcuTrees: makeRcuTrees,
  rcuReady: () => Atomics.store(i32, stop, 0),
  rcuWrite: () => writeUntilStopped(readTree),
  rcuWriteOther: () => writeUntilStopped(otherTree),
  rcuRead: readFor,
};

parentPort?.on('message', ({ what, n, count }: { what: string; n: number; count: number }) => {
  const request = requests[what];
  parentPort?.postMessage(request === undefined ? measure(what, n, count) : request(n));
});
