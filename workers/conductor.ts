/** Entry of a conductor thread: see src/lab/stress/conductor.ts. */
import { parentPort } from 'node:worker_threads';
import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { conductor } from '../src/lab/stress/conductor.ts';

if (parentPort === null) throw new Error('workers/conductor is a thread entry');
Comlink.expose(conductor, nodeEndpoint(parentPort));
