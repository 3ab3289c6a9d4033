/** A thread of the overhead lab. */
import { workerData } from 'node:worker_threads';
import type { OverheadThreadData } from '../src/lab/overhead/protocol.ts';
import { configureBoot } from '../src/machine/boot.ts';

const { boot, side } = workerData as OverheadThreadData;
configureBoot({ ...boot, task: side });
const { serveOverhead } = await import('../src/lab/overhead/thread.ts');
await serveOverhead(side);
