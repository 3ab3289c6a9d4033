/** The reports, line by line as real kernels printed them: the same mistakes made on purpose. */
import { beforeEach, expect, test } from 'vitest';
import { current, set_task_comm, task_struct } from '../../../src/kernel/include/task_struct.ts';
import { irq_enter, local_irq_disable, local_irq_enable } from '../../../src/kernel/irq.ts';
import {
  debug_check_no_locks_freed,
  lockdep_assert_held,
  lockdep_init_task,
  lockdep_sys_exit,
} from '../../../src/kernel/locking/lockdep/asserts.ts';
import { lockdep_reset } from '../../../src/kernel/locking/lockdep/internals.ts';
import { lock_acquire, lockdep_init_map } from '../../../src/kernel/locking/lockdep/lockdep.ts';
import { lockdep_pin_lock } from '../../../src/kernel/locking/lockdep/pin.ts';
import { LD_WAIT_INV, lock_class_key, lockdep_map } from '../../../src/kernel/locking/lockdep/types.ts';
import { might_sleep, schedule_debug } from '../../../src/kernel/locking/might_sleep.ts';
import { mutex, mutex_init, mutex_lock, mutex_lock_nest_lock, mutex_unlock } from '../../../src/kernel/locking/mutex.ts';
import { raw_spin_lock, raw_spin_lock_init, raw_spin_unlock, raw_spinlock_t } from '../../../src/kernel/locking/raw_spinlock.ts';
import { down_read, init_rwsem, rw_semaphore } from '../../../src/kernel/locking/rwsem.ts';
import { spin_lock, spin_lock_init, spin_unlock, spinlock_t } from '../../../src/kernel/locking/spinlock.ts';
import { clearReports, readReports } from '../../../src/kernel/printk.ts';
import { rcu_dereference_check, rcu_read_lock } from '../../../src/kernel/rcu.ts';
import { local_bh_disable, softirq_enter } from '../../../src/kernel/softirq.ts';
import { addressOf, set } from '../../../src/machine/door.ts';
import { NULL, type Ptr, pointer, struct } from '../../../src/machine/layout.ts';
import { sbrk } from '../../../src/machine/memory.ts';
import { __fentry__, __fexit__, registerFunction, resetShadowStack } from '../../../src/machine/shadow-stack.ts';
import { normalised, recordedSplats } from './splats.ts';

const recorded = recordedSplats();
const cell = struct('test_cell', { ptr: pointer('test_cell') });

function room<S extends string>(bytes: number): Ptr<S> {
  return sbrk(bytes, 64, 'a lock') as Ptr<S>;
}
function key(): Ptr<'lock_class_key'> {
  return room(lock_class_key.SIZE);
}
function newMutex(name: string, of = key()): Ptr<'mutex'> {
  const lock = room<'mutex'>(mutex.SIZE);
  mutex_init(lock, name, of);
  return lock;
}
function newSpin(name: string): Ptr<'spinlock_t'> {
  const lock = room<'spinlock_t'>(spinlock_t.SIZE);
  spin_lock_init(lock, name, key());
  return lock;
}
function newRaw(name: string): Ptr<'raw_spinlock_t'> {
  const lock = room<'raw_spinlock_t'>(raw_spinlock_t.SIZE);
  raw_spin_lock_init(lock, name, key());
  return lock;
}
/** A lock that is only the validator's. */
function newMap(name: string): Ptr<'lockdep_map'> {
  const map = room<'lockdep_map'>(lockdep_map.SIZE);
  lockdep_init_map(map, name, key(), 0, LD_WAIT_INV, LD_WAIT_INV, 0);
  return map;
}

/** Plays `body` as the kernel function `name`. */
function as(name: string, body: () => void): void {
  __fentry__(registerFunction(name, 'test', 1));
  body();
  __fexit__(undefined);
}

function play(comm: string, pid: number): void {
  set_task_comm(current(), comm);
  set(current(), task_struct.pid, pid);
}

/** As the recorded ones ran: in write() of a file in /proc, which holds a lock of its file system. */
function inWrite(body: () => void): void {
  play('init', 1);
  const sb_writers = newMap('sb_writers#3');
  as('ksys_write', () => lock_acquire(sb_writers, 0, 1, 1, 1, NULL));
  as('kt_write', body);
}

beforeEach(() => {
  resetShadowStack();
  lockdep_init_task(current());
  lockdep_reset();
  clearReports();
});

/** All reports so far as one text in the common form. */
function printed(): string[] {
  return normalised(readReports().flatMap((report) => report.lines));
}

/** A recorded report in the common form, up to the given number of lines. */
function kernel(name: string, lines = Number.POSITIVE_INFINITY): string[] {
  return normalised(recorded.get(name) ?? []).slice(0, lines);
}

/** A ring of mutexes, each function taking one while it holds another. */
function ring(functions: [name: string, first: string, second: string][]): void {
  const locks = new Map(['lock_a', 'lock_b', 'lock_c'].map((name) => [name, newMutex(name)]));
  for (const [name, first, second] of functions) {
    play(name.replace('thread', 'kt'), name === 'thread_ca' ? 31 : 32);
    const [a, b] = [locks.get(first) as Ptr<'mutex'>, locks.get(second) as Ptr<'mutex'>];
    as(name, () => {
      mutex_lock(a);
      mutex_lock(b);
      mutex_unlock(b);
      mutex_unlock(a);
    });
  }
}

test('abba: two locks in both orders', () => {
  ring([
    ['thread_ab', 'lock_a', 'lock_b'],
    ['thread_ba', 'lock_b', 'lock_a'],
  ]);
  expect(printed()).toEqual(kernel('abba'));
});

test('abca: a ring of three', () => {
  ring([
    ['thread_ab', 'lock_a', 'lock_b'],
    ['thread_bc', 'lock_b', 'lock_c'],
    ['thread_ca', 'lock_c', 'lock_a'],
  ]);
  expect(printed()).toEqual(kernel('abca'));
});

test('recursive: two locks of one class', () => {
  inWrite(() => {
    const of = key();
    const [one, two] = [newMutex('&obj[i].m', of), newMutex('&obj[i].m', of)];
    as('kt_recursive', () => {
      mutex_lock(one);
      mutex_lock(two);
    });
  });
  expect(printed()).toEqual(kernel('recursive'));
});

test('nest_lock: the lock that should serialise is not held', () => {
  inWrite(() => mutex_lock_nest_lock(newMutex('&obj[0].m'), addressOf(newMutex('lock_a'), mutex.dep_map)));
  expect(printed()).toEqual(kernel('nest_lock'));
});

test('bad_unlock_balance: a release of what is not held', () => {
  inWrite(() =>
    as('kt_bad_unlock', () => {
      mutex_lock(newMutex('lock_a'));
      spin_unlock(newSpin('spin_a'));
    }),
  );
  expect(printed()).toEqual(kernel('bad_unlock_balance'));
});

test('held_lock_freed: memory is freed with a held lock in it', () => {
  inWrite(() => {
    const object = room<'mutex'>(256);
    mutex_init(object, '&o->m', key());
    as('kt_held_freed', () => {
      mutex_lock(object);
      debug_check_no_locks_freed(object, 256);
    });
  });
  expect(printed()).toEqual(kernel('held_lock_freed'));
});

test('return_to_user: a lock is held on leaving the kernel', () => {
  play('init', 1);
  as('kt_write', () => mutex_lock(newMutex('lock_a')));
  lockdep_sys_exit();
  expect(printed()).toEqual(kernel('return_to_user'));
});

test('inconsistent_hardirq: a lock taken with interrupts on, then in one', () => {
  const raw_a = newRaw('raw_a');
  as('kt_write', () => {
    raw_spin_lock(raw_a);
    raw_spin_unlock(raw_a);
  });
  play('swapper/0', 0);
  local_irq_disable();
  irq_enter();
  as('hrt_fn', () => raw_spin_lock(raw_a));
  expect(printed()).toEqual(kernel('inconsistent_hardirq', printed().length));
});

test('inconsistent_softirq: the same with soft interrupts', () => {
  const [spin_a, timer] = [newSpin('spin_a'), newMap('(&tmr)')];
  as('kt_write', () => {
    spin_lock(spin_a);
    spin_unlock(spin_a);
  });
  play('swapper/0', 0);
  local_bh_disable();
  softirq_enter();
  as('call_timer_fn', () => lock_acquire(timer, 0, 0, 0, 1, NULL));
  as('timer_fn', () => spin_lock(spin_a));
  // The kernel's validator is off after this one; ours goes on and finds a second.
  const first = normalised(readReports()[0]?.lines ?? []);
  expect(first).toEqual(kernel('inconsistent_softirq', first.length));
});

/** Takes raw_a in a hard interrupt, and is out of it again. */
function tickTakes(lock: Ptr<'raw_spinlock_t'>, comm: string): void {
  play(comm, 0);
  local_irq_disable();
  irq_enter();
  as('hrt_fn', () => raw_spin_lock(lock));
}

test('irq_inversion: a lock of an interrupt took one that is held with interrupts on', () => {
  const [raw_a, raw_b] = [newRaw('raw_a'), newRaw('raw_b')];
  as('kt_write', () => {
    local_irq_disable();
    raw_spin_lock(raw_a);
    raw_spin_lock(raw_b);
    raw_spin_unlock(raw_b);
    raw_spin_unlock(raw_a);
    local_irq_enable();
    raw_spin_lock(raw_b);
    raw_spin_unlock(raw_b);
  });
  tickTakes(raw_a, 'swapper/1');
  expect(printed()).toEqual(kernel('irq_inversion', printed().length));
});

test('irq_safe_unsafe: under a lock of an interrupt one is taken that is held with interrupts on', () => {
  const [raw_a, raw_b] = [newRaw('raw_a'), newRaw('raw_b')];
  as('kt_write', () => {
    raw_spin_lock(raw_b);
    raw_spin_unlock(raw_b);
  });
  tickTakes(raw_a, 'swapper/0');
  raw_spin_unlock(raw_a);
  lockdep_init_task(current());
  inWrite(() => {
    local_irq_disable();
    raw_spin_lock(raw_a);
    raw_spin_lock(raw_b);
  });
  expect(printed()).toEqual(kernel('irq_safe_unsafe'));
});

test('invalid_wait_hardirq_spin: a spinlock_t in a hard interrupt', () => {
  const spin_a = newSpin('spin_a');
  spin_lock(spin_a);
  spin_unlock(spin_a);
  play('swapper/0', 0);
  local_irq_disable();
  irq_enter();
  as('hrt_fn', () => spin_lock(spin_a));
  const first = normalised(readReports()[0]?.lines ?? []);
  expect(first).toEqual(kernel('invalid_wait_hardirq_spin', first.length));
});

test('invalid_wait_rawspin: a spinlock_t under a raw one', () => {
  const [raw_a, spin_a] = [newRaw('raw_a'), newSpin('spin_a')];
  inWrite(() => {
    raw_spin_lock(raw_a);
    spin_lock(spin_a);
  });
  expect(printed()).toEqual(kernel('invalid_wait_rawspin'));
});

test('invalid_wait_rwsem: a semaphore under a spinlock', () => {
  const spin_a = newSpin('spin_a');
  const rwsem_a = room<'rw_semaphore'>(rw_semaphore.SIZE);
  init_rwsem(rwsem_a, 'rwsem_a', key());
  inWrite(() => {
    spin_lock(spin_a);
    down_read(rwsem_a);
  });
  expect(printed()).toEqual(kernel('invalid_wait_rwsem'));
});

test('nonstatic_key: a lock that nobody initialised', () => {
  inWrite(() => spin_lock(room(spinlock_t.SIZE)));
  expect(printed()).toEqual(kernel('nonstatic_key'));
});

test('rcu_deref: a dereference outside a read section', () => {
  inWrite(() => {
    mutex_lock(newMutex('lock_a'));
    rcu_dereference_check(room<'test_cell'>(cell.SIZE), cell.ptr, false);
  });
  expect(printed().filter((line) => !line.endsWith('suspicious rcu_dereference_check() usage!'))).toEqual(
    kernel('rcu_deref').filter((line) => !line.endsWith('suspicious rcu_dereference_check() usage!')),
  );
});

test('rcu_sleep: sleeping inside a read section', () => {
  inWrite(() => {
    rcu_read_lock();
    might_sleep();
  });
  const held = (lines: string[]): string[] =>
    lines.filter((line) => !line.startsWith(' #1') && !/^(PLACE|unknown) Illegal/.test(line) && !line.startsWith('BUG: sleeping'));
  expect(held(printed())).toEqual(held(kernel('rcu_sleep')));
});

test('sleeping_invalid: sleeping under a spinlock', () => {
  inWrite(() => {
    spin_lock(newSpin('spin_a'));
    might_sleep();
  });
  const held = (lines: string[]): string[] => lines.filter((line) => !line.startsWith('BUG: sleeping') && line !== 'FRAMES');
  expect(held(printed())).toEqual(held(kernel('sleeping_invalid')));
});

test('sched_atomic: giving up the CPU under a spinlock', () => {
  inWrite(() => {
    spin_lock(newSpin('spin_a'));
    schedule_debug();
  });
  const lines = printed();
  expect(lines).toEqual(kernel('sched_atomic', lines.length));
});

test('pin: a pinned lock is given up', () => {
  const spin_a = newSpin('spin_a');
  inWrite(() => {
    spin_lock(spin_a);
    lockdep_pin_lock(addressOf(spin_a, spinlock_t.dep_map));
    spin_unlock(spin_a);
  });
  expect(printed()).toEqual(kernel('pin'));
});

test('assert_held: a lock that should be held is not', () => {
  inWrite(() => lockdep_assert_held(addressOf(newMutex('lock_a'), mutex.dep_map)));
  expect(printed()).toEqual(kernel('assert_held'));
});
