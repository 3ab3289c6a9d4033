/**
 * Cases of our own for what the kernel's suite does not test. Each is played by one task on an empty graph and names the
 * kinds of report that it must give, in order.
 */
import { current, task_struct } from '../../../src/kernel/include/task_struct.ts';
import { irq_enter, irq_exit, local_irq_disable, local_irq_enable } from '../../../src/kernel/irq.ts';
import { lockdep_assert_held, lockdep_init_task, lockdep_sys_exit } from '../../../src/kernel/locking/lockdep/asserts.ts';
import { lock_is_held } from '../../../src/kernel/locking/lockdep/held.ts';
import { counted, lockdep_reset, NR_LIST_ENTRIES } from '../../../src/kernel/locking/lockdep/internals.ts';
import { lock_acquire, lock_release, lockdep_init_map } from '../../../src/kernel/locking/lockdep/lockdep.ts';
import { usageLetters } from '../../../src/kernel/locking/lockdep/names.ts';
import { lockdep_pin_lock, lockdep_unpin_lock } from '../../../src/kernel/locking/lockdep/pin.ts';
import { rcu_lock_acquire, rcu_lock_map, rcu_lock_release } from '../../../src/kernel/locking/lockdep/rcu-maps.ts';
import {
  LD_LOCK_NORMAL,
  LD_LOCK_PERCPU,
  LD_WAIT_CONFIG,
  LD_WAIT_INV,
  LD_WAIT_SLEEP,
  LD_WAIT_SPIN,
  lock_class_key,
  lockdep_map,
  lockdep_no_validate,
} from '../../../src/kernel/locking/lockdep/types.ts';
import { clearReports, readReports } from '../../../src/kernel/printk.ts';
import { local_bh_disable, local_bh_enable, softirq_enter, softirq_exit } from '../../../src/kernel/softirq.ts';
import { get } from '../../../src/machine/door.ts';
import { NULL, type Ptr } from '../../../src/machine/layout.ts';
import { sbrk } from '../../../src/machine/memory.ts';

type Map = Ptr<'lockdep_map'>;

/** A lock of a class of its own. */
export function newLock(name: string, inner: number = LD_WAIT_CONFIG, type: number = LD_LOCK_NORMAL): Map {
  return lockOfClass(name, sbrk(lock_class_key.SIZE, 8, 'a key') as Ptr<'lock_class_key'>, inner, type);
}

/** A lock of the class of `key`. */
export function lockOfClass(name: string, key: Ptr<'lock_class_key'>, inner: number = LD_WAIT_CONFIG, type: number = LD_LOCK_NORMAL): Map {
  const map = sbrk(lockdep_map.SIZE, 8, 'a map') as Map;
  lockdep_init_map(map, name, key, 0, inner, LD_WAIT_INV, 0, type);
  return map;
}

const write = (map: Map): void => lock_acquire(map, 0, 0, 0, 1, NULL);
const read = (map: Map): void => lock_acquire(map, 0, 0, 1, 1, NULL);
const readRecursive = (map: Map): void => lock_acquire(map, 0, 0, 2, 1, NULL);
const tryWrite = (map: Map): void => lock_acquire(map, 0, 1, 0, 1, NULL);
const release = (...maps: Map[]): void => {
  for (const map of maps) lock_release(map);
};

/** One case: what it does gives exactly these kinds of report. */
export interface OwnCase {
  name: string;
  kinds: string[];
  run: () => void;
}

/** A broken expectation inside a case. */
function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

export const OWN_CASES: OwnCase[] = [
  {
    name: 'types of a dependency add up: A => B read below read first, then write below write',
    kinds: ['circular-dependency'],
    run: () => {
      const [a, b, c] = [newLock('A'), newLock('B'), newLock('C')];
      read(a);
      readRecursive(b);
      release(b, a);
      write(a);
      write(b);
      release(b, a);
      read(b);
      write(c);
      release(c, b);
      write(c);
      write(a);
      release(a, c);
    },
  },
  {
    name: 'without the strong type the same cycle is harmless',
    kinds: [],
    run: () => {
      const [a, b, c] = [newLock('A'), newLock('B'), newLock('C')];
      read(a);
      readRecursive(b);
      release(b, a);
      read(b);
      write(c);
      release(c, b);
      write(c);
      write(a);
      release(a, c);
    },
  },
  {
    name: 'a class reached weakly first is walked again when it is reached strongly',
    kinds: ['circular-dependency'],
    run: () => {
      // A => B by recursive read only; A => D => B for write; B => C from a shared hold.
      const [a, b, c, d] = [newLock('A'), newLock('B'), newLock('C'), newLock('D')];
      write(a);
      readRecursive(b);
      release(b, a);
      write(a);
      write(d);
      release(d, a);
      write(d);
      write(b);
      release(b, d);
      read(b);
      write(c);
      release(c, b);
      write(c);
      write(a);
      release(a, c);
    },
  },
  {
    name: 'the wait check takes the least of all held locks, not the innermost',
    kinds: ['invalid-wait-context'],
    run: () => {
      const [raw, spin] = [newLock('raw', LD_WAIT_SPIN), newLock('spin')];
      write(raw);
      rcu_lock_acquire(rcu_lock_map);
      write(spin);
      release(spin);
      rcu_lock_release(rcu_lock_map);
      release(raw);
    },
  },
  {
    name: 'a lock per CPU counts in the search for cycles',
    kinds: ['circular-dependency'],
    run: () => {
      const [local, spin] = [newLock('local', LD_WAIT_CONFIG, LD_LOCK_PERCPU), newLock('spin')];
      write(local);
      write(spin);
      release(spin, local);
      write(spin);
      write(local);
      release(local, spin);
    },
  },
  {
    name: 'what was waited for below a trylock is a dependency too',
    kinds: ['circular-dependency'],
    run: () => {
      const [a, b, c] = [newLock('A'), newLock('B'), newLock('C')];
      write(a);
      tryWrite(b);
      write(c);
      release(c, b, a);
      write(c);
      write(a);
      release(a, c);
    },
  },
  {
    name: 'a trylock waits for nobody',
    kinds: [],
    run: () => {
      const [a, b] = [newLock('A'), newLock('B')];
      write(a);
      write(b);
      release(b, a);
      write(b);
      tryWrite(a);
      release(a, b);
    },
  },
  {
    name: 'a lock taken in an interrupt does not depend on what the interrupted task holds',
    kinds: [],
    run: () => {
      const [a, b] = [newLock('A', LD_WAIT_SPIN), newLock('B', LD_WAIT_SPIN)];
      local_irq_disable();
      write(a);
      irq_enter();
      write(b);
      release(b);
      irq_exit();
      release(a);
      write(b);
      write(a);
      release(a, b);
      local_irq_enable();
    },
  },
  {
    name: 'nor does a lock taken in a hard interrupt depend on one of a soft interrupt',
    kinds: [],
    run: () => {
      const [a, b] = [newLock('A', LD_WAIT_SPIN), newLock('B', LD_WAIT_SPIN)];
      local_bh_disable();
      local_irq_disable();
      softirq_enter();
      write(a);
      irq_enter();
      write(b);
      release(b);
      irq_exit();
      release(a);
      softirq_exit();
      write(b);
      write(a);
      release(a, b);
      local_irq_enable();
      local_bh_enable();
    },
  },
  {
    name: 'a release out of order makes new neighbours: A => C, once the reader between them is gone',
    kinds: ['circular-dependency'],
    run: () => {
      const [a, b, c] = [newLock('A'), newLock('B'), newLock('C')];
      write(a);
      readRecursive(b);
      write(c);
      release(b);
      release(c, a);
      write(c);
      write(a);
      release(a, c);
    },
  },
  {
    name: 'a nest lock that is given up too early',
    kinds: ['nest-lock-not-taken'],
    run: () => {
      const [nest, a] = [newLock('nest'), newLock('A')];
      write(nest);
      lock_acquire(a, 0, 0, 0, 1, nest);
      release(nest, a);
    },
  },
  {
    name: 'several of one class under a nest lock are one entry with a count',
    kinds: [],
    run: () => {
      const key = sbrk(lock_class_key.SIZE, 8, 'a key') as Ptr<'lock_class_key'>;
      const nest = newLock('nest');
      const [a, b, c] = [lockOfClass('A', key), lockOfClass('A', key), lockOfClass('A', key)];
      write(nest);
      for (const map of [a, b, c]) lock_acquire(map, 0, 0, 0, 1, nest);
      expectThat(get(current(), task_struct.lockdep_depth) === 2, 'one entry for all three');
      release(b, a);
      expectThat(lock_is_held(c), 'the last one still counts');
      release(c, nest);
      expectThat(get(current(), task_struct.lockdep_depth) === 0, 'all given up');
    },
  },
  {
    name: 'RCU read sections are outside the graph',
    kinds: [],
    run: () => {
      const a = newLock('A');
      const before = counted(NR_LIST_ENTRIES);
      rcu_lock_acquire(rcu_lock_map);
      write(a);
      release(a);
      rcu_lock_release(rcu_lock_map);
      write(a);
      rcu_lock_acquire(rcu_lock_map);
      rcu_lock_acquire(rcu_lock_map);
      expectThat(usageLetters(get(rcu_lock_map, lockdep_map.class_cache0)) === '....', 'no usage is kept for it');
      rcu_lock_release(rcu_lock_map);
      rcu_lock_release(rcu_lock_map);
      release(a);
      expectThat(counted(NR_LIST_ENTRIES) === before, 'no dependency with it');
    },
  },
  {
    name: 'a subclass is a class of its own',
    kinds: ['recursive-locking'],
    run: () => {
      const key = sbrk(lock_class_key.SIZE, 8, 'a key') as Ptr<'lock_class_key'>;
      const [a, b, c] = [lockOfClass('A', key), lockOfClass('A', key), lockOfClass('A', key)];
      write(a);
      lock_acquire(b, 1, 0, 0, 1, NULL);
      release(b);
      lock_acquire(c, 2, 0, 0, 1, NULL);
      lock_acquire(b, 2, 0, 0, 1, NULL);
      release(b, c, a);
    },
  },
  {
    name: 'a lock without validation makes no dependency',
    kinds: [],
    run: () => {
      const [a, b] = [newLock('A'), lockOfClass('B', lockdep_no_validate)];
      write(a);
      write(b);
      release(b, a);
      write(b);
      write(a);
      release(a, b);
    },
  },
  {
    name: 'a sleeping lock below a spinlock',
    kinds: ['invalid-wait-context'],
    run: () => {
      const [spin, mutex] = [newLock('spin'), newLock('mutex', LD_WAIT_SLEEP)];
      write(spin);
      write(mutex);
      release(mutex, spin);
    },
  },
  {
    name: 'a plain read waits behind a waiting writer, a recursive one does not',
    kinds: ['recursive-locking'],
    run: () => {
      const a = newLock('A');
      read(a);
      readRecursive(a);
      release(a, a);
      read(a);
      read(a);
      release(a, a);
    },
  },
  {
    name: 'the chain cache tells modes apart',
    kinds: ['circular-dependency'],
    run: () => {
      const [a, b] = [newLock('A'), newLock('B')];
      readRecursive(a);
      write(b);
      release(b, a);
      write(b);
      readRecursive(a);
      release(a, b);
      write(b);
      write(a);
      release(a, b);
    },
  },
  {
    name: 'a hold of an outer context cannot be given up in an interrupt',
    kinds: ['bad-unlock-balance'],
    run: () => {
      const [a, b] = [newLock('A', LD_WAIT_SPIN), newLock('B', LD_WAIT_SPIN)];
      local_irq_disable();
      write(a);
      irq_enter();
      write(b);
      release(a);
      release(b);
      irq_exit();
      release(a);
      local_irq_enable();
    },
  },
  {
    name: 'a lock still held on leaving the kernel',
    kinds: ['held-lock-at-exit'],
    run: () => {
      const a = newLock('A');
      write(a);
      lockdep_sys_exit();
      release(a);
      lockdep_sys_exit();
    },
  },
  {
    name: 'a pinned lock that is released, and one that was unpinned before',
    kinds: ['pinned-lock'],
    run: () => {
      const [a, b] = [newLock('A'), newLock('B')];
      write(a);
      lockdep_unpin_lock(a, lockdep_pin_lock(a));
      release(a);
      write(b);
      lockdep_pin_lock(b);
      release(b);
    },
  },
  {
    name: 'an assertion that a lock is held',
    kinds: ['lock-not-held'],
    run: () => {
      const a = newLock('A');
      write(a);
      lockdep_assert_held(a);
      release(a);
      lockdep_assert_held(a);
    },
  },
  {
    name: 'a lock that nobody initialised',
    kinds: ['non-static-key'],
    run: () => write(sbrk(lockdep_map.SIZE, 8, 'a map') as Map),
  },
];

/** Plays a case on an empty graph; gives the kinds of its reports in order. */
export function playCase(one: OwnCase): string[] {
  lockdep_init_task(current());
  lockdep_reset();
  clearReports();
  one.run();
  const kinds = readReports().map((report) => report.kind);
  lockdep_init_task(current());
  return kinds;
}
