/** A real thread that plays one task of a forced schedule: the machine's options first. See src/lab/search/forced.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ForcedOrder } from '../src/lab/search/forced.ts';
import { configureBoot } from '../src/machine/boot.ts';

const order = workerData as ForcedOrder;
configureBoot(order.boot);
const { playForcedTask } = await import('../src/lab/search/forced-task.ts');
parentPort?.postMessage(await playForcedTask(order));
