/**
 * Cases of our own for what the kernel's suite does not test. Each is played by one task on an empty graph and names the
 * kinds of report that it must give, in order.
 */
import { current } from '../../../src/kernel/include/task_struct.ts';
import { lockdep_init_task } from '../../../src/kernel/locking/lockdep/asserts.ts';
import { lockdep_reset } from '../../../src/kernel/locking/lockdep/internals.ts';
import { clearReports, readReports } from '../../../src/kernel/printk.ts';
import { NULL, type Ptr } from '../../../src/machine/layout.ts';
import { type CaseKernel, type LockMap, lockMakers, plainKernel } from './case-kernel.ts';

/** One case: what it does gives exactly these kinds of report. */
export interface OwnCase {
  name: string;
  kinds: string[];
  /** Looks at counts of the whole graph or at what all tasks share, so nobody else may be there. */
  alone?: true;
  /** Yields after each call: there another task may come in between. */
  run: () => Generator<unknown, void, undefined>;
}

/** A broken expectation inside a case. */
function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

export function ownCases(kernel: CaseKernel): OwnCase[] {
  const { current, task_struct, get, sbrk } = kernel;
  const { irq_enter, irq_exit, local_irq_disable, local_irq_enable, local_bh_disable, local_bh_enable, softirq_enter, softirq_exit } =
    kernel;
  const { lock_acquire, lock_release, lock_is_held, lockdep_assert_held, lockdep_sys_exit, lockdep_pin_lock, lockdep_unpin_lock } = kernel;
  const { rcu_lock_acquire, rcu_lock_map, rcu_lock_release, counted, NR_LIST_ENTRIES, usageLetters } = kernel;
  const { LD_LOCK_PERCPU, LD_WAIT_CONFIG, LD_WAIT_SLEEP, LD_WAIT_SPIN, lock_class_key, lockdep_map, lockdep_no_validate } = kernel;
  const { newLock, lockOfClass } = lockMakers(kernel);
  const write = (map: LockMap): void => lock_acquire(map, 0, 0, 0, 1, NULL);
  const read = (map: LockMap): void => lock_acquire(map, 0, 0, 1, 1, NULL);
  const readRecursive = (map: LockMap): void => lock_acquire(map, 0, 0, 2, 1, NULL);
  const tryWrite = (map: LockMap): void => lock_acquire(map, 0, 1, 0, 1, NULL);
  const release = (...maps: LockMap[]): void => {
    for (const map of maps) lock_release(map);
  };
  return [
    {
      name: 'types of a dependency add up: A => B read below read first, then write below write',
      kinds: ['circular-dependency'],
      *run() {
        const [a, b, c] = [newLock('A'), newLock('B'), newLock('C')];
        yield read(a);
        yield readRecursive(b);
        yield release(b, a);
        yield write(a);
        yield write(b);
        yield release(b, a);
        yield read(b);
        yield write(c);
        yield release(c, b);
        yield write(c);
        yield write(a);
        yield release(a, c);
      },
    },
    {
      name: 'without the strong type the same cycle is harmless',
      kinds: [],
      *run() {
        const [a, b, c] = [newLock('A'), newLock('B'), newLock('C')];
        yield read(a);
        yield readRecursive(b);
        yield release(b, a);
        yield read(b);
        yield write(c);
        yield release(c, b);
        yield write(c);
        yield write(a);
        yield release(a, c);
      },
    },
    {
      name: 'a class reached weakly first is walked again when it is reached strongly',
      kinds: ['circular-dependency'],
      *run() {
        // A => B by recursive read only; A => D => B for write; B => C from a shared hold.
        const [a, b, c, d] = [newLock('A'), newLock('B'), newLock('C'), newLock('D')];
        yield write(a);
        yield readRecursive(b);
        yield release(b, a);
        yield write(a);
        yield write(d);
        yield release(d, a);
        yield write(d);
        yield write(b);
        yield release(b, d);
        yield read(b);
        yield write(c);
        yield release(c, b);
        yield write(c);
        yield write(a);
        yield release(a, c);
      },
    },
    {
      name: 'the wait check takes the least of all held locks, not the innermost',
      kinds: ['invalid-wait-context'],
      *run() {
        const [raw, spin] = [newLock('raw', LD_WAIT_SPIN), newLock('spin')];
        yield write(raw);
        yield rcu_lock_acquire(rcu_lock_map);
        yield write(spin);
        yield release(spin);
        yield rcu_lock_release(rcu_lock_map);
        yield release(raw);
      },
    },
    {
      name: 'a lock per CPU counts in the search for cycles',
      kinds: ['circular-dependency'],
      *run() {
        const [local, spin] = [newLock('local', LD_WAIT_CONFIG, LD_LOCK_PERCPU), newLock('spin')];
        yield write(local);
        yield write(spin);
        yield release(spin, local);
        yield write(spin);
        yield write(local);
        yield release(local, spin);
      },
    },
    {
      name: 'what was waited for below a trylock is a dependency too',
      kinds: ['circular-dependency'],
      *run() {
        const [a, b, c] = [newLock('A'), newLock('B'), newLock('C')];
        yield write(a);
        yield tryWrite(b);
        yield write(c);
        yield release(c, b, a);
        yield write(c);
        yield write(a);
        yield release(a, c);
      },
    },
    {
      name: 'a trylock waits for nobody',
      kinds: [],
      *run() {
        const [a, b] = [newLock('A'), newLock('B')];
        yield write(a);
        yield write(b);
        yield release(b, a);
        yield write(b);
        yield tryWrite(a);
        yield release(a, b);
      },
    },
    {
      name: 'a lock taken in an interrupt does not depend on what the interrupted task holds',
      kinds: [],
      *run() {
        const [a, b] = [newLock('A', LD_WAIT_SPIN), newLock('B', LD_WAIT_SPIN)];
        yield local_irq_disable();
        yield write(a);
        yield irq_enter();
        yield write(b);
        yield release(b);
        yield irq_exit();
        yield release(a);
        yield write(b);
        yield write(a);
        yield release(a, b);
        yield local_irq_enable();
      },
    },
    {
      name: 'nor does a lock taken in a hard interrupt depend on one of a soft interrupt',
      kinds: [],
      *run() {
        const [a, b] = [newLock('A', LD_WAIT_SPIN), newLock('B', LD_WAIT_SPIN)];
        yield local_bh_disable();
        yield local_irq_disable();
        yield softirq_enter();
        yield write(a);
        yield irq_enter();
        yield write(b);
        yield release(b);
        yield irq_exit();
        yield release(a);
        yield softirq_exit();
        yield write(b);
        yield write(a);
        yield release(a, b);
        yield local_irq_enable();
        yield local_bh_enable();
      },
    },
    {
      name: 'a release out of order makes new neighbours: A => C, once the reader between them is gone',
      kinds: ['circular-dependency'],
      *run() {
        const [a, b, c] = [newLock('A'), newLock('B'), newLock('C')];
        yield write(a);
        yield readRecursive(b);
        yield write(c);
        yield release(b);
        yield release(c, a);
        yield write(c);
        yield write(a);
        yield release(a, c);
      },
    },
    {
      name: 'a nest lock that is given up too early',
      kinds: ['nest-lock-not-taken'],
      *run() {
        const [nest, a] = [newLock('nest'), newLock('A')];
        yield write(nest);
        yield lock_acquire(a, 0, 0, 0, 1, nest);
        yield release(nest, a);
      },
    },
    {
      name: 'several of one class under a nest lock are one entry with a count',
      kinds: [],
      *run() {
        const key = sbrk(lock_class_key.SIZE, 8, 'a key') as Ptr<'lock_class_key'>;
        const nest = newLock('nest');
        const [a, b, c] = [lockOfClass('A', key), lockOfClass('A', key), lockOfClass('A', key)];
        yield write(nest);
        for (const map of [a, b, c]) yield lock_acquire(map, 0, 0, 0, 1, nest);
        expectThat(get(current(), task_struct.lockdep_depth) === 2, 'one entry for all three');
        yield release(b, a);
        expectThat(lock_is_held(c), 'the last one still counts');
        yield release(c, nest);
        expectThat(get(current(), task_struct.lockdep_depth) === 0, 'all given up');
      },
    },
    {
      name: 'RCU read sections are outside the graph',
      kinds: [],
      alone: true,
      *run() {
        const a = newLock('A');
        const before = counted(NR_LIST_ENTRIES);
        yield rcu_lock_acquire(rcu_lock_map);
        yield write(a);
        yield release(a);
        yield rcu_lock_release(rcu_lock_map);
        yield write(a);
        yield rcu_lock_acquire(rcu_lock_map);
        yield rcu_lock_acquire(rcu_lock_map);
        expectThat(usageLetters(get(rcu_lock_map, lockdep_map.class_cache0)) === '....', 'no usage is kept for it');
        yield rcu_lock_release(rcu_lock_map);
        yield rcu_lock_release(rcu_lock_map);
        yield release(a);
        expectThat(counted(NR_LIST_ENTRIES) === before, 'no dependency with it');
      },
    },
    {
      name: 'a subclass is a class of its own',
      kinds: ['recursive-locking'],
      *run() {
        const key = sbrk(lock_class_key.SIZE, 8, 'a key') as Ptr<'lock_class_key'>;
        const [a, b, c] = [lockOfClass('A', key), lockOfClass('A', key), lockOfClass('A', key)];
        yield write(a);
        yield lock_acquire(b, 1, 0, 0, 1, NULL);
        yield release(b);
        yield lock_acquire(c, 2, 0, 0, 1, NULL);
        yield lock_acquire(b, 2, 0, 0, 1, NULL);
        yield release(b, c, a);
      },
    },
    {
      name: 'a lock without validation makes no dependency',
      kinds: [],
      *run() {
        const [a, b] = [newLock('A'), lockOfClass('B', lockdep_no_validate)];
        yield write(a);
        yield write(b);
        yield release(b, a);
        yield write(b);
        yield write(a);
        yield release(a, b);
      },
    },
    {
      name: 'a sleeping lock below a spinlock',
      kinds: ['invalid-wait-context'],
      *run() {
        const [spin, mutex] = [newLock('spin'), newLock('mutex', LD_WAIT_SLEEP)];
        yield write(spin);
        yield write(mutex);
        yield release(mutex, spin);
      },
    },
    {
      name: 'a plain read waits behind a waiting writer, a recursive one does not',
      kinds: ['recursive-locking'],
      *run() {
        const a = newLock('A');
        yield read(a);
        yield readRecursive(a);
        yield release(a, a);
        yield read(a);
        yield read(a);
        yield release(a, a);
      },
    },
    {
      name: 'the chain cache tells modes apart',
      kinds: ['circular-dependency'],
      *run() {
        const [a, b] = [newLock('A'), newLock('B')];
        yield readRecursive(a);
        yield write(b);
        yield release(b, a);
        yield write(b);
        yield readRecursive(a);
        yield release(a, b);
        yield write(b);
        yield write(a);
        yield release(a, b);
      },
    },
    {
      name: 'a hold of an outer context cannot be given up in an interrupt',
      kinds: ['bad-unlock-balance'],
      *run() {
        const [a, b] = [newLock('A', LD_WAIT_SPIN), newLock('B', LD_WAIT_SPIN)];
        yield local_irq_disable();
        yield write(a);
        yield irq_enter();
        yield write(b);
        yield release(a);
        yield release(b);
        yield irq_exit();
        yield release(a);
        yield local_irq_enable();
      },
    },
    {
      name: 'a lock still held on leaving the kernel',
      kinds: ['held-lock-at-exit'],
      *run() {
        const a = newLock('A');
        yield write(a);
        yield lockdep_sys_exit();
        yield release(a);
        yield lockdep_sys_exit();
      },
    },
    {
      name: 'a pinned lock that is released, and one that was unpinned before',
      kinds: ['pinned-lock'],
      *run() {
        const [a, b] = [newLock('A'), newLock('B')];
        yield write(a);
        yield lockdep_unpin_lock(a, lockdep_pin_lock(a));
        yield release(a);
        yield write(b);
        yield lockdep_pin_lock(b);
        yield release(b);
      },
    },
    {
      name: 'an assertion that a lock is held',
      kinds: ['lock-not-held'],
      *run() {
        const a = newLock('A');
        yield write(a);
        yield lockdep_assert_held(a);
        yield release(a);
        yield lockdep_assert_held(a);
      },
    },
    {
      name: 'a lock that nobody initialised',
      kinds: ['non-static-key'],
      *run() {
        yield write(sbrk(lockdep_map.SIZE, 8, 'a map') as LockMap);
      },
    },
  ];
}

export const OWN_CASES: OwnCase[] = ownCases(plainKernel);

/** Plays a case on an empty graph; gives the kinds of its reports in order. */
export function playCase(one: OwnCase): string[] {
  lockdep_init_task(current());
  lockdep_reset();
  clearReports();
  Array.from(one.run());
  const kinds = readReports().map((report) => report.kind);
  lockdep_init_task(current());
  return kinds;
}
