/** Cases of our own, and random lock programs against a search that tries every path. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { current } from '../../../src/kernel/include/task_struct.ts';
import { lockdep_init_task } from '../../../src/kernel/locking/lockdep/asserts.ts';
import { debugLocks, lockdep_reset } from '../../../src/kernel/locking/lockdep/internals.ts';
import { lock_acquire, lock_release } from '../../../src/kernel/locking/lockdep/lockdep.ts';
import { clearReports, readReports, reportsCounted } from '../../../src/kernel/printk.ts';
import { NULL } from '../../../src/machine/layout.ts';
import { BruteForce, type Step } from './brute-force.ts';
import { newLock } from './case-kernel.ts';
import { OWN_CASES, playCase } from './own-cases.ts';

test.each(OWN_CASES.map((one) => [one.name, one] as const))('%s', (_name, one) => {
  expect(playCase(one)).toEqual(one.kinds);
  expect(debugLocks()).toBe(one.kinds.length === 0 || one.kinds[0] !== 'limit-reached');
});

const CLASSES = 4;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ lock: fc.nat(CLASSES - 1), mode: fc.nat(2), trylock: fc.constant(false) }) },
  { weight: 1, arbitrary: fc.record({ lock: fc.nat(CLASSES - 1), mode: fc.nat(2), trylock: fc.constant(true) }) },
  { weight: 3, arbitrary: fc.record({ unlock: fc.nat(5) }) },
);

test('random lock programs report where some strong cycle closes, and nowhere else', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 6, maxLength: 40 }), (program) => {
      lockdep_init_task(current());
      lockdep_reset();
      clearReports();
      const locks = Array.from({ length: CLASSES }, (_, i) => newLock(`L${i}`));
      const held: number[] = [];
      const brute = new BruteForce();
      for (const one of program) {
        const before = reportsCounted();
        if ('unlock' in one) {
          if (held.length === 0) continue;
          const at = held.length - 1 - (one.unlock % held.length);
          const lock = held[at] as number;
          // The validator gives up the innermost hold of a lock.
          const innermost = held.lastIndexOf(lock);
          held.splice(innermost, 1);
          lock_release(locks[lock] as (typeof locks)[number]);
          expect(reportsCounted() > before).toBe(brute.release(innermost));
        } else {
          if (held.length >= 5) continue;
          held.push(one.lock);
          lock_acquire(locks[one.lock] as (typeof locks)[number], 0, one.trylock ? 1 : 0, one.mode, 1, NULL);
          expect(reportsCounted() > before).toBe(brute.acquire(one));
        }
        // What was reported stays out of both graphs, but chains differ from here on: one finding per program.
        if (reportsCounted() > before) break;
      }
    }),
    { numRuns: 1500 },
  );
});

test('a finding that comes again is counted, its text is written once', () => {
  lockdep_init_task(current());
  lockdep_reset();
  clearReports();
  const [a, b] = [newLock('A'), newLock('B')];
  for (const [first, second] of [[a, b] as const, ...Array.from({ length: 5 }, () => [b, a] as const)]) {
    lock_acquire(first, 0, 0, 0, 1, NULL);
    lock_acquire(second, 0, 0, 0, 1, NULL);
    lock_release(second);
    lock_release(first);
  }
  expect(readReports().map((report) => [report.kind, report.count])).toEqual([['circular-dependency', 5]]);
});
