/** What merging costs: pages of 4096 bytes per second, with memcmp and a copy of as many bytes for comparison. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { BootOptions } from '../src/machine/boot.ts';
import type { BenchOptions, Row } from './bench.ts';
import { type Subject, sideBySide } from './side-by-side.ts';

export const name = 'merge';
export const about = 'pages/s that ksmd checks, merges, and a pass breaks apart';

const PAGE = 4096;
const PAGES = 10_000;

class MergeLoop {
  private readonly worker: Worker;
  constructor(boot: Partial<BootOptions>) {
    this.worker = new Worker(new URL('./workers/merge-loop.js', import.meta.url), { workerData: boot });
  }
  async sample(what: string): Promise<number> {
    const answer = once(this.worker, 'message');
    this.worker.postMessage(what);
    return ((await answer) as [number])[0];
  }
  end(): Promise<number> {
    return this.worker.terminate();
  }
}

const memory = Buffer.from(new SharedArrayBuffer((PAGES + 1) * PAGE)).fill(7);

function perSecond(what: (at: number) => void): number {
  const start = process.hrtime.bigint();
  for (let i = 1; i <= PAGES; i++) what(i * PAGE);
  return PAGES / (Number(process.hrtime.bigint() - start) / 1e9);
}
const memcmp = () => perSecond((at) => memory.compare(memory, 0, PAGE, at, at + PAGE));
const memcpy = () => perSecond((at) => memory.copyWithin(at, 0, PAGE));

const CASES: [title: string, what: string, peer: Subject | undefined][] = [
  ['first scan: checksums', 'checksums', undefined],
  ['settled scan of 1,000 different pages', 'different', undefined],
  ['scan that merges 10,000 equal pages', 'merge', { peer: 'memcmp of as many pages', sample: memcmp }],
  ['unmerge pass over 10,000 shared pages', 'unmerge', { peer: 'memcpy of as many pages', sample: memcpy }],
];

export async function run(options: BenchOptions): Promise<Row[]> {
  const validated = new MergeLoop({ lockdep: 'on' });
  const plain = new MergeLoop({ lockdep: 'off' });
  const rows: Row[] = [];
  try {
    for (const [title, what, peer] of CASES) {
      const subjects: Subject[] = [
        { sample: () => validated.sample(what) },
        { peer: 'ours without lockdep', sample: () => plain.sample(what) },
      ];
      if (peer !== undefined) subjects.push(peer);
      rows.push(...(await sideBySide(options, 'merge', title, 'pages/s', subjects)));
    }
    return rows;
  } finally {
    await Promise.all([validated.end(), plain.end()]);
  }
}
