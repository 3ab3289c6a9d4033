/** Lifetimes in one thread, many trials: pass and exit one after the other, in both orders, scanned and not. */
import { expect, it } from 'vitest';

/** A module as it was built: the loops here are long, and the test runner's form of the source is slow. */
const built = (file: string) => import(new URL(`../../../dist/src/${file}.js`, import.meta.url).href);

const { mmput } = (await built('kernel/fork')) as typeof import('../../../src/kernel/fork.ts');
const { mutex_lock, mutex_unlock } = (await built('kernel/locking/mutex')) as typeof import('../../../src/kernel/locking/mutex.ts');
const { run_store } = (await built('kernel/mm/ksm')) as typeof import('../../../src/kernel/mm/ksm.ts');
const { ksm_do_scan } = (await built('kernel/mm/ksm-scan')) as typeof import('../../../src/kernel/mm/ksm-scan.ts');
const { ksm_thread_mutex } = (await built('kernel/mm/ksm-types')) as typeof import('../../../src/kernel/mm/ksm-types.ts');
const { set_ksm_variant } = (await built('kernel/mm/ksm-variants')) as typeof import('../../../src/kernel/mm/ksm-variants.ts');
const { EXIT_CURSOR_EMPTY, EXIT_CURSOR_ITEMS, EXIT_EASY, EXIT_MOVED, VISIT_DESTROYED, VISIT_DESTROYED_BEFORE, VISIT_OUTCOME_SHIFT } =
  (await built('kernel/trace/trace-ksm')) as typeof import('../../../src/kernel/trace/trace-ksm.ts');
const { count, countersOf, sumCounters, taskCounters } = (await built(
  'lab/stress/counters',
)) as typeof import('../../../src/lab/stress/counters.ts');
const { countHits, HIT_CURSOR_WINDOW, HIT_DESTROYED_WHILE_WAITING, HIT_NONE, HIT_SLOT_LEFT_BEHIND, hitKind } = (await built(
  'lab/stress/hits',
)) as typeof import('../../../src/lab/stress/hits.ts');
const { newProcess, spread } = (await built('lab/stress/process')) as typeof import('../../../src/lab/stress/process.ts');
const { slabInfo } = (await built('machine/slab')) as typeof import('../../../src/machine/slab.ts');

const TRIALS = 100_000;

it.each(['unfixed', 'fixed', 'both', 'linked-list'] as const)('%s gives back what it took', (variant) => {
  const counters = countersOf(0);
  countHits(counters, () => {});
  set_ksm_variant(variant);
  const areas = spread(2, 2);
  const before = slabInfo();
  const hitsBefore = sumCounters(0).hits;
  let expected = 0;
  run_store('1');
  for (let trial = 0; trial < TRIALS; trial++) {
    const mm = newProcess(areas, trial);
    if (trial % 4 < 2) {
      mutex_lock(ksm_thread_mutex);
      ksm_do_scan(1000);
      mutex_unlock(ksm_thread_mutex);
    }
    if (trial % 2 === 0) mmput(mm);
    run_store('2');
    if (trial % 2 !== 0) mmput(mm);
    run_store('1');
    // Scanned, and gone before the pass: the slot is left behind.
    if (trial % 4 === 0) expected++;
    count(counters, taskCounters.trials);
  }
  expect(slabInfo()).toEqual({ ...slabInfo(), ...before });
  const { hits } = sumCounters(0);
  expect(hits.slotLeftBehind - hitsBefore.slotLeftBehind).toBe(expected);
  expect(hits.total - hitsBefore.total).toBe(expected);
});

it('tells the kinds of a visit apart', () => {
  const visit = (bits: number, outcome: number) => hitKind(bits | (outcome << VISIT_OUTCOME_SHIFT));
  const gone = VISIT_DESTROYED | VISIT_DESTROYED_BEFORE;
  expect(visit(0, EXIT_CURSOR_EMPTY)).toBe(HIT_NONE);
  expect(visit(VISIT_DESTROYED, EXIT_MOVED)).toBe(HIT_DESTROYED_WHILE_WAITING);
  expect(visit(VISIT_DESTROYED, EXIT_CURSOR_EMPTY)).toBe(HIT_DESTROYED_WHILE_WAITING);
  expect(visit(gone, EXIT_MOVED)).toBe(HIT_SLOT_LEFT_BEHIND);
  expect(visit(gone, EXIT_CURSOR_ITEMS)).toBe(HIT_SLOT_LEFT_BEHIND);
  expect(visit(gone, EXIT_CURSOR_EMPTY)).toBe(HIT_CURSOR_WINDOW);
  expect(() => visit(gone, EXIT_EASY)).toThrow('__ksm_exit had freed the slot');
});
