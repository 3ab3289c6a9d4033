/** How fast ksmd scans: pages per second of one process whose pages are all different. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { BootOptions } from '../src/machine/boot.ts';
import type { BenchOptions, Row } from './bench.ts';
import { sideBySide } from './side-by-side.ts';

export const name = 'scan';
export const about = 'pages/s that ksmd scans, with and without lockdep';

function scanner(boot: Partial<BootOptions>, scans: number): { sample: () => Promise<number>; end: () => Promise<number> } {
  const worker = new Worker(new URL('./workers/scan-loop.js', import.meta.url), { workerData: boot });
  return {
    sample: async () => {
      const answer = once(worker, 'message');
      worker.postMessage(scans);
      return ((await answer) as [number])[0];
    },
    end: () => worker.terminate(),
  };
}

export async function run(options: BenchOptions): Promise<Row[]> {
  const scans = options.quick ? 20 : 100;
  const validated = scanner({ lockdep: 'on' }, scans);
  const plain = scanner({ lockdep: 'off' }, scans);
  try {
    const subjects = [{ sample: validated.sample }, { peer: 'ours without lockdep', sample: plain.sample }];
    return await sideBySide(options, 'scan', 'full scan, nothing to merge', 'pages/s', subjects);
  } finally {
    await Promise.all([validated.end(), plain.end()]);
  }
}
