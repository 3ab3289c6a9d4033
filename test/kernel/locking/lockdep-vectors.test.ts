/** The kernel's own lock self-tests, as recorded vectors, against the live validator: verdict, place and content of the report. */
import { beforeEach, expect, test } from 'vitest';
import { lockdep_reset } from '../../../src/kernel/locking/lockdep/internals.ts';
import { SYSTEM_BOOTING, set_system_state } from '../../../src/kernel/locking/might_sleep.ts';
import { clearReports } from '../../../src/kernel/printk.ts';
import { runVector } from '../../../src/lab/selftest-lockdep/run-vector.ts';
import { readVectors } from '../../../src/lab/selftest-lockdep/vector.ts';

const vectors = readVectors([new URL('../../fixtures/lockdep/vectors.jsonl.gz', import.meta.url).pathname]);
set_system_state(SYSTEM_BOOTING);

beforeEach(() => {
  lockdep_reset();
  clearReports();
});

test('all families of the suite are there', () => {
  expect(vectors.length).toBe(287);
  expect(new Set(vectors.map((vector) => vector.family)).size).toBe(68);
});

for (const how of ['ops', 'events'] as const) {
  test.each(vectors.map((vector) => [vector.id, vector] as const))(`%s, by ${how}`, (_id, vector) => {
    expect(runVector(vector, how).wrong).toEqual([]);
  });
}
