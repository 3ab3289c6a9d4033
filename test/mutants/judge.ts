/**
 * Runs everything that judges the validator on the files beside it and prints what fails, as JSON: the recorded vectors both
 * ways, our own cases, random programs. Usage: `node judge.js VECTORS`.
 */
import { current } from '../../src/kernel/include/task_struct.ts';
import { lockdep_init_task } from '../../src/kernel/locking/lockdep/asserts.ts';
import { lockdep_reset } from '../../src/kernel/locking/lockdep/internals.ts';
import { lock_acquire, lock_release } from '../../src/kernel/locking/lockdep/lockdep.ts';
import { SYSTEM_BOOTING, set_system_state } from '../../src/kernel/locking/might_sleep.ts';
import { clearReports, reportsCounted } from '../../src/kernel/printk.ts';
import { runVector } from '../../src/lab/selftest-lockdep/run-vector.ts';
import { readVectors } from '../../src/lab/selftest-lockdep/vector.ts';
import { NULL } from '../../src/machine/layout.ts';
import { BruteForce } from '../kernel/locking/brute-force.ts';
import { newLock } from '../kernel/locking/case-kernel.ts';
import { OWN_CASES, playCase } from '../kernel/locking/own-cases.ts';

/** Who catches a fault. */
export interface Judgement {
  vectors: number;
  reports: number;
  own: string[];
  programs: number;
}

const judgement: Judgement = { vectors: 0, reports: 0, own: [], programs: 0 };

set_system_state(SYSTEM_BOOTING);
for (const vector of readVectors([process.argv[2] as string])) {
  const wrong = (['ops', 'events'] as const).flatMap((how) => {
    lockdep_reset();
    clearReports();
    return runVector(vector, how).wrong;
  });
  if (wrong.some((text) => text.includes(' instead of SUCCESS') || text.includes(' instead of FAILURE'))) judgement.vectors++;
  else if (wrong.length > 0) judgement.reports++;
}
set_system_state(0);

for (const one of OWN_CASES) {
  let kinds: string[];
  try {
    kinds = playCase(one);
  } catch {
    kinds = ['thrown'];
  }
  if (kinds.join() !== one.kinds.join()) judgement.own.push(one.name);
}

/** Random programs, always the same ones. */
let seed = 12345;
function random(below: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) | 0;
  return (seed >>> 8) % below;
}
for (let program = 0; program < 400; program++) {
  lockdep_init_task(current());
  lockdep_reset();
  const locks = [0, 1, 2, 3].map((i) => newLock(`L${i}`));
  const held: number[] = [];
  const brute = new BruteForce();
  for (let i = 0; i < 40; i++) {
    const before = reportsCounted();
    let expected: boolean;
    if (held.length > 0 && (held.length >= 5 || random(2) === 0)) {
      const lock = held[random(held.length)] as number;
      const at = held.lastIndexOf(lock);
      held.splice(at, 1);
      lock_release(locks[lock] as (typeof locks)[number]);
      expected = brute.release(at);
    } else {
      const step = { lock: random(4), mode: random(3), trylock: random(4) === 0 };
      held.push(step.lock);
      lock_acquire(locks[step.lock] as (typeof locks)[number], 0, step.trylock ? 1 : 0, step.mode, 1, NULL);
      expected = brute.acquire(step);
    }
    if (reportsCounted() > before !== expected) judgement.programs++;
    if (reportsCounted() > before || expected) break;
  }
}
console.log(JSON.stringify(judgement));
