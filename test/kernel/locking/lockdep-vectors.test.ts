/** The kernel's own lock self-tests, as recorded vectors, against the live validator. */
import { beforeEach, expect, test } from 'vitest';
import { current } from '../../../src/kernel/include/task_struct.ts';
import { lockdep_reset } from '../../../src/kernel/locking/lockdep/internals.ts';
import { lockdep_init_task } from '../../../src/kernel/locking/lockdep/lockdep.ts';
import { reportsCounted } from '../../../src/kernel/printk.ts';
import { replayEvents } from '../../../src/lab/selftest-lockdep/replay-events.ts';
import { readVectors, type Vector } from '../../../src/lab/selftest-lockdep/vector.ts';

const vectors = readVectors([new URL('../../fixtures/lockdep/vectors.jsonl.gz', import.meta.url).pathname]);

beforeEach(() => {
  lockdep_init_task(current());
  lockdep_reset();
});

/** Index of the call at which the first report came, -1 for none. */
function firstReport(vector: Vector): number {
  const before = reportsCounted();
  let at = -1;
  replayEvents(vector, (i) => {
    if (at < 0 && reportsCounted() > before) at = vector.events[i]?.op ?? -1;
  });
  return at;
}

test('all families of the suite are there', () => {
  expect(vectors.length).toBe(287);
  expect(new Set(vectors.map((vector) => vector.family)).size).toBe(68);
});

test.each(vectors.map((vector) => [vector.id, vector] as const))('%s, by events', (_id, vector) => {
  expect(firstReport(vector)).toBe(vector.report?.at_op ?? -1);
});
