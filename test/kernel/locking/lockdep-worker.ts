/** A thread of the test of one graph under several: attaches to the memory and replays vectors, each with classes of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { configureBoot } from '../../../src/machine/boot.ts';

const { arena, vectors, index, threads } = workerData as { arena: SharedArrayBuffer; vectors: string; index: number; threads: number };
configureBoot({ arena });
const { setCurrent } = await import('../../../src/machine/task-area.ts');
const { runVector } = await import('../../../src/lab/selftest-lockdep/run-vector.ts');
const { readVectors } = await import('../../../src/lab/selftest-lockdep/vector.ts');
const { OWN_CASES } = await import('./own-cases.ts');
const { current, task_struct } = await import('../../../src/kernel/include/task_struct.ts');
const { get, set } = await import('../../../src/machine/door.ts');
const { lockdep_init_task } = await import('../../../src/kernel/locking/lockdep/asserts.ts');

setCurrent(index);
const wrong: string[] = [];
const all = readVectors([vectors]);
// Each thread begins elsewhere, so that they do not march in step.
const start = Math.floor((all.length / threads) * index);
for (let i = 0; i < all.length; i++) {
  const vector = all[(start + i) % all.length] as (typeof all)[number];
  const how = (i + index) % 2 === 0 ? 'ops' : 'events';
  const { verdict, atOp } = runVector(vector, how);
  // As the first report's text may be another thread's, only whether and where it came is compared.
  if (verdict !== vector.expect || (vector.report !== null && vector.report.at_op !== atOp))
    wrong.push(`${vector.id} by ${how}: ${verdict} at ${atOp}`);
}
for (const one of OWN_CASES) {
  if (one.alone === true) continue;
  lockdep_init_task(current());
  set(current(), task_struct.reports, 0);
  Array.from(one.run());
  if (get(current(), task_struct.reports) > 0 !== one.kinds.length > 0) wrong.push(one.name);
  lockdep_init_task(current());
}
parentPort?.postMessage(wrong);
