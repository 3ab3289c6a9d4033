/** Locks and atomics: ours with and without the validator, bare Atomics, and what C has. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { BenchOptions, Row } from './bench.ts';
import { LockLoops } from './lock-loops.ts';
import { nsOf } from './ns-of.ts';
import { type BareAtomicsData, bareRounds, type TwoThreads } from './peers/bare-atomics.ts';
import { compileNative, type NativeProgram } from './peers/native.ts';
import { type Subject, sideBySide } from './side-by-side.ts';

export const name = 'locks';
export const about = 'locks, atomics, barrier and hand-over against bare Atomics and pthread';

const bare = new Int32Array(new SharedArrayBuffer(1024));

/** What bare Atomics can do in place of a lock or an accessor. */
const bareOperations: Record<string, () => unknown> = {
  spin: () => {
    while (Atomics.compareExchange(bare, 0, 0, 1) !== 0);
    Atomics.store(bare, 0, 0);
  },
  rdlock: () => {
    const seen = Atomics.load(bare, 1);
    Atomics.compareExchange(bare, 1, seen, seen + 1);
    Atomics.sub(bare, 1, 1);
  },
  load: () => Atomics.load(bare, 0),
  store: () => Atomics.store(bare, 2, 1),
  add: () => Atomics.add(bare, 3, 1),
};

/** Case, our operation, the bare one, the C loop. */
const CASES: [string, string, string | undefined, string | undefined][] = [
  ['spin_lock, spin_unlock', 'spin', 'spin', 'spin'],
  ['mutex_lock, mutex_unlock', 'mutex', 'spin', 'mutex'],
  ['down_read, up_read', 'rdlock', 'rdlock', 'rdlock'],
  ['down_write, up_write', 'wrlock', 'spin', 'wrlock'],
  ['mutex, rwsem and spinlock nested', 'nested', undefined, undefined],
  ['READ_ONCE', 'load', 'load', 'load'],
  ['WRITE_ONCE', 'store', 'store', 'store'],
  ['atomic_inc_return', 'add', 'add', 'add'],
  ['slab: allocate, free', 'slab', undefined, undefined],
];

async function uncontended(options: BenchOptions, native: NativeProgram | undefined): Promise<Row[]> {
  const milliseconds = options.quick ? 5 : 20;
  const count = 40_000 * milliseconds;
  const plain = new LockLoops({ lockdep: 'off' });
  const validated = new LockLoops({ lockdep: 'on' });
  const recorded = new LockLoops({ lockdep: 'on', record: true });
  const rows: Row[] = [];
  try {
    for (const [what, ours, bareOp, c] of CASES) {
      const subjects: Subject[] = [{ sample: () => plain.sample(ours, milliseconds) }];
      if (['spin', 'mutex', 'rdlock', 'wrlock', 'nested'].includes(ours)) {
        subjects.push({ peer: 'ours with lockdep', sample: () => validated.sample(ours, milliseconds) });
        subjects.push({ peer: 'ours with lockdep and recorder', sample: () => recorded.sample(ours, milliseconds) });
      }
      if (bareOp !== undefined)
        subjects.push({ peer: 'bare Atomics', sample: () => nsOf(bareOperations[bareOp] as () => unknown, milliseconds) });
      if (c !== undefined && native !== undefined)
        subjects.push({ peer: 'C', sample: async () => (await native.run(c, count))[0] as number });
      rows.push(...(await sideBySide(options, 'locks', what, 'ns', subjects)));
    }
  } finally {
    await Promise.all([plain.end(), validated.end(), recorded.end()]);
  }
  return rows;
}

async function bareTwoThreads(what: TwoThreads, count: number): Promise<number> {
  const memory = new SharedArrayBuffer(1024);
  const other = new Worker(new URL('./peers/bare-atomics.js', import.meta.url), {
    workerData: { memory, what, count } satisfies BareAtomicsData,
  });
  await once(other, 'message');
  const ns = bareRounds(new Int32Array(memory), what, true, count);
  await other.terminate();
  return ns;
}

async function twoThreads(options: BenchOptions, native: NativeProgram | undefined): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [what, c] of [
    ['ping-pong', 'ping-pong'],
    ['barrier', 'barrier'],
    ['futex', 'futex'],
  ] as const) {
    const count = (options.quick ? 0.2 : 1) * (what === 'futex' ? 2000 : 200_000);
    const subjects: Subject[] = [{ peer: 'bare Atomics', sample: () => bareTwoThreads(what, count) }];
    if (native !== undefined) subjects.push({ peer: 'C', sample: async () => (await native.run(c, count))[0] as number });
    rows.push(...(await sideBySide(options, 'two threads', what, 'ns', subjects, options.quick ? 3 : 10)));
  }
  return rows;
}

export async function run(options: BenchOptions): Promise<Row[]> {
  const native = compileNative('primitives', options.say);
  try {
    const rows = await uncontended(options, native);
    if (options.cores < 2) options.say('  one core: nothing about two threads');
    else rows.push(...(await twoThreads(options, native)));
    return rows;
  } finally {
    native?.dispose();
  }
}
