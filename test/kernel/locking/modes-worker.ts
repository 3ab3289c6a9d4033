/** A process of the tests of modes and limits: `node modes-worker.js WHAT BOOT`; prints what was reported as JSON. */
import { configureBoot } from '../../../src/machine/boot.ts';

configureBoot(JSON.parse(process.argv[3] as string));
const { NULL } = await import('../../../src/machine/layout.ts');
const { lock_acquire, lock_release } = await import('../../../src/kernel/locking/lockdep/lockdep.ts');
const { lock_is_held } = await import('../../../src/kernel/locking/lockdep/held.ts');
const { debugLocks } = await import('../../../src/kernel/locking/lockdep/internals.ts');
const { readReports } = await import('../../../src/kernel/printk.ts');
const { newLock } = await import('./case-kernel.ts');

type Map = ReturnType<typeof newLock>;
const take = (map: Map): void => lock_acquire(map, 0, 0, 0, 1, NULL);

/** Takes locks in this order and gives them up in the other. */
function nest(...maps: Map[]): void {
  for (const map of maps) take(map);
  for (const map of [...maps].reverse()) lock_release(map);
}

const [a, b, c] = [newLock('A'), newLock('B'), newLock('C')];
let held = false;
switch (process.argv[2]) {
  case 'abba':
    nest(a, b);
    for (let i = 0; i < 3; i++) nest(b, a);
    nest(c, c);
    held = lock_is_held(a);
    break;
  case 'classes': {
    const locks = Array.from({ length: 150 }, (_, i) => newLock(`L${i}`));
    for (let i = 1; i < locks.length; i++) nest(locks[0] as Map, locks[i] as Map);
    break;
  }
  case 'depth':
    for (let i = 0; i < 50; i++) take(newLock(`L${i}`));
    break;
  case 'large': {
    const locks = Array.from({ length: 2000 }, (_, i) => newLock(`L${i}`));
    // Each takes its eleven successors, in blocks of 50 classes.
    for (let i = 0; i < locks.length; i++) {
      for (let step = 1; step <= 11; step++) {
        const next = Math.floor(i / 50) * 50 + (i % 50) + step;
        if (next % 50 > i % 50 && next < locks.length) nest(locks[i] as Map, locks[next] as Map);
      }
    }
    // Triples of a block: chains.
    for (let i = 0; i + 49 < locks.length; i += 50) {
      for (let x = 0; x < 48; x++)
        for (let y = x + 1; y < Math.min(49, x + 12); y++) nest(locks[i + x] as Map, locks[i + y] as Map, locks[i + 49] as Map);
    }
    const ring = Array.from({ length: 1000 }, (_, i) => newLock(`R${i}`));
    for (let i = 0; i < 999; i++) nest(ring[i] as Map, ring[i + 1] as Map);
    nest(ring[999] as Map, ring[0] as Map);
    break;
  }
}
const reports = readReports();
console.log(
  JSON.stringify({
    kinds: reports.map((report) => report.kind),
    counts: reports.map((report) => report.count),
    on: debugLocks(),
    held,
    lines: reports[0]?.lines.slice(0, 3) ?? [],
  }),
);
