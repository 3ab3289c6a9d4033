/**
 * The emulated task: `struct task_struct` (include/linux/sched.h, Linux 6.1). It lives in the kernel's part of
 * the task's area; only the task itself writes it, unless a field says otherwise.
 */
import { embedArray, type Ptr, pointer, struct, word, words } from '../../machine/layout.ts';
import { AREA_KERNEL, areaOf, currentArea } from '../../machine/task-area.ts';

export const MAX_LOCK_DEPTH = 48;

/** One held lock, as lockdep keeps it. */
export const held_lock = struct('held_lock', {
  /** The lock's map: which instance. */
  instance: pointer('lockdep_map'),
  /** Class number. */
  class_idx: word,
  /** 0 write, 1 non-recursive read, 2 recursive read. */
  read: word,
  trylock: word,
  /** Shadow-stack number of the function that took it. */
  acquire_fn: word,
  nest_lock: pointer('lockdep_map'),
  /** Bit 0: hard interrupt context, bit 1: soft. */
  irq_context: word,
  hardirqs_off: word,
  references: word,
  pin_count: word,
  check: word,
  /** Chain key before this lock, two words. */
  prev_chain_lo: word,
  prev_chain_hi: word,
  spare0: word,
  spare1: word,
  spare2: word,
});

/** A task waiting for an rw_semaphore; it lives in the task because a task waits for one at a time. */
export const rwsem_waiter = struct('rwsem_waiter', {
  /** 0 waits and spins, 2 parked, 1 granted: written by whoever hands the lock over. */
  granted: word,
  /** 0 reader, 1 writer. */
  type: word,
  /** Protected by the semaphore's wait_lock. */
  next: pointer('rwsem_waiter'),
});

/** Process flags. */
export const PF_EXITING = 4;
export const PF_OOM_ORIGIN = 8;
export const PF_KTHREAD = 16;

export const task_struct = struct('task_struct', {
  pid: word,
  /** Number of the name (internName 'comm'). */
  comm: word,
  flags: word,
  /** Atomic: a fatal signal is pending. Written by others. */
  signal_pending: word,
  mm: pointer('mm_struct'),
  /** Times the task had to queue for an rw_semaphore (tracepoint contention_begin). */
  contended: word,
  // What lockdep keeps per task.
  lockdep_depth: word,
  lockdep_recursion: word,
  chain_key_lo: word,
  chain_key_hi: word,
  hardirqs_enabled: word,
  softirqs_enabled: word,
  hardirq_context: word,
  softirq_context: word,
  hardirq_threaded: word,
  softirq_disable_depth: word,
  rcu_read_lock_nesting: word,
  irq_reserved: words(8),
  waiter: embedArray(rwsem_waiter, 1),
  held_locks: embedArray(held_lock, MAX_LOCK_DEPTH),
  lockdep_reserved: words(256),
});

/** The task that this thread plays now. @inline */
export function current(): Ptr<'task_struct'> {
  return (currentArea() + AREA_KERNEL) as Ptr<'task_struct'>;
}

/** The task in area `index`. */
export function taskOf(index: number): Ptr<'task_struct'> {
  return (areaOf(index) + AREA_KERNEL) as Ptr<'task_struct'>;
}
