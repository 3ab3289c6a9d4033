/** The maple tree: ours, ordered maps from npm, and what the kernel's needed on another machine. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { BootOptions } from '../src/machine/boot.ts';
import { type BenchOptions, type Row, row } from './bench.ts';
import { measureMap, ORDERED_MAPS } from './peers/ordered-maps.ts';
import { type Subject, sideBySide } from './side-by-side.ts';

export const name = 'maple';
export const about = 'the maple tree against sorted-btree and js-sdsl (points, one thread) and the figures of the kernel';

/** Median ns per operation of the C tree of Linux 6.1.192 with gap tracking, at N = 64, 1,000 and 100,000, on a virtual x86-64 machine. */
const NATIVE: Record<string, [number, number, number]> = {
  store: [244, 452, 939],
  load: [29, 54, 184],
  walk: [29, 54, 184],
  find: [11.0, 16.2, 37],
  next: [11.0, 15.8, 28],
  erase: [251, 544, 1231],
  destroy: [0.7, 0.96, 4.4],
};
const SIZES = [64, 1000, 100_000];

/** Build and destroy: areas, C in us, C with bulk fill in us. */
const BUILDS: [number, number, number][] = [
  [1, 0.034, 0.053],
  [16, 1.5, 1.4],
  [64, 10, 7.6],
];

/** The operation of an ordered map that stands beside one of ours. */
const MAP_OPERATION: Record<string, string> = { store: 'store', load: 'load', find: 'iterate', next: 'iterate', erase: 'erase' };

class MapleLoops {
  readonly #worker: Worker;
  constructor(boot: Partial<BootOptions> = {}) {
    this.#worker = new Worker(new URL('./workers/maple-loops.js', import.meta.url), { workerData: boot });
  }
  async ask<T>(what: string, n = 0, count = 0): Promise<T> {
    const answer = once(this.#worker, 'message');
    this.#worker.postMessage({ what, n, count });
    return ((await answer) as [T])[0];
  }
  measure(what: string, n: number, count: number): Promise<number> {
    return this.ask<number>(what, n, count);
  }
  end(): Promise<number> {
    return this.#worker.terminate();
  }
}

/**
 * Lookups without locks on one core, alone and while a second core writes as fast as it can. Beside a writer of another tree they share nothing
 * but the machine: what that costs is not the tree's.
 */
async function rcuReaders(options: BenchOptions, rounds: number): Promise<Row[]> {
  const reader = new MapleLoops({ task: 1 });
  const writer = new MapleLoops({ task: 2, arena: await reader.ask<SharedArrayBuffer>('arena') });
  const ms = options.quick ? 100 : 400;
  try {
    await reader.ask('rcuTrees');
    const alone = async () => (await reader.ask<number>('rcuRead', ms)) / 1e6;
    const beside = async (write: string) => {
      await reader.ask('rcuReady');
      const writes = writer.ask(write);
      const rate = await reader.ask<number>('rcuRead', ms);
      await writes;
      return rate / 1e6;
    };
    const subjects = [
      { sample: () => beside('rcuWrite') },
      { peer: 'without the writer', sample: alone },
      { peer: 'beside a writer of another tree', sample: () => beside('rcuWriteOther') },
    ];
    return await sideBySide(options, 'maple tree, RCU', 'lookups beside a writer', 'million/s', subjects, rounds);
  } finally {
    await Promise.all([reader.end(), writer.end()]);
  }
}

export async function run(options: BenchOptions): Promise<Row[]> {
  const loops = new MapleLoops();
  const count = options.quick ? 50_000 : 300_000;
  const rounds = options.quick ? 3 : 9;
  const rows: Row[] = [];
  try {
    for (const [i, n] of SIZES.entries()) {
      const group = `maple tree, ${n.toLocaleString('en')} ranges`;
      for (const [what, native] of Object.entries(NATIVE)) {
        const subjects: Subject[] = [{ sample: () => loops.measure(what, n, count) }];
        const operation = MAP_OPERATION[what];
        for (const [peer, make] of operation === undefined ? [] : Object.entries(ORDERED_MAPS)) {
          subjects.push({ peer, sample: () => measureMap(make, operation as string, n, count) });
        }
        rows.push(...(await sideBySide(options, group, what, 'ns', subjects, rounds)));
        rows.push(row(group, what, 'ns', [native[i] as number], 'C, recorded elsewhere'));
      }
      rows.push(row(group, 'memory per range', 'bytes', [await loops.measure('bytes', n, n)]));
    }
    for (const [n, native, bulk] of BUILDS) {
      for (const [what, c] of [
        ['build', native],
        ['bulk', bulk],
      ] as const) {
        const text = `${what} and destroy, ${n} areas`;
        const subjects = [{ sample: async () => (await loops.measure(what, n, count)) / 1000 }];
        rows.push(...(await sideBySide(options, 'maple tree, whole', text, 'us', subjects, rounds)));
        rows.push(row('maple tree, whole', text, 'us', [c], 'C, recorded elsewhere'));
      }
    }
    if (options.cores < 2) options.say('  one core: nothing about RCU readers beside a writer');
    else rows.push(...(await rcuReaders(options, rounds)));
    return rows;
  } finally {
    await loops.end();
  }
}
