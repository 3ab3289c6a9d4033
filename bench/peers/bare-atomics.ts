/** The second thread of the two-thread measurements on bare Atomics: ping-pong, barrier, wait and notify. */
import { parentPort, workerData } from 'node:worker_threads';

export interface BareAtomicsData {
  memory: SharedArrayBuffer;
  what: TwoThreads;
  count: number;
}
export type TwoThreads = 'ping-pong' | 'barrier' | 'futex';

const PING = 0;
const PONG = 16;

/** A barrier for two: the last to arrive lets the other go. */
export function bareBarrier(words: Int32Array): void {
  const round = Atomics.load(words, PONG);
  if (Atomics.add(words, PING, 1) === 1) {
    Atomics.store(words, PING, 0);
    Atomics.store(words, PONG, round + 1);
  } else while (Atomics.load(words, PONG) === round);
}

/** One side of `count` rounds; gives nanoseconds per round. */
export function bareRounds(words: Int32Array, what: TwoThreads, first: boolean, count: number): number {
  const [mine, theirs] = first ? [PING, PONG] : [PONG, PING];
  const start = process.hrtime.bigint();
  if (what === 'barrier') {
    for (let i = 0; i < count; i++) bareBarrier(words);
  } else {
    for (let i = 1; i <= count; i++) {
      if (first) Atomics.store(words, mine, i);
      if (first && what === 'futex') Atomics.notify(words, mine, 1);
      if (what === 'futex') while (Atomics.load(words, theirs) !== i) Atomics.wait(words, theirs, i - 1, 1000);
      else while (Atomics.load(words, theirs) !== i);
      if (!first) Atomics.store(words, mine, i);
      if (!first && what === 'futex') Atomics.notify(words, mine, 1);
    }
  }
  return Number(process.hrtime.bigint() - start) / count;
}

if (workerData !== null && parentPort !== null) {
  const { memory, what, count } = workerData as BareAtomicsData;
  const words = new Int32Array(memory);
  parentPort.postMessage('ready');
  bareRounds(words, what, false, count);
}
