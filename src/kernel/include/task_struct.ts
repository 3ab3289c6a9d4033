/**
 * The emulated task: `struct task_struct` (include/linux/sched.h, Linux 6.1). It lives in the kernel's part of
 * the task's area; only the task itself writes it, unless a field says otherwise.
 */
import { get, set } from '../../machine/door.ts';
import { embedArray, type Ptr, pointer, struct, word, words } from '../../machine/layout.ts';
import { AREA_KERNEL, areaOf, currentArea } from '../../machine/task-area.ts';
import { textNumber, textOf } from '../../machine/text.ts';

export const MAX_LOCK_DEPTH = 48;

/** One held lock, as lockdep keeps it. Entries above `lockdep_depth` have nest_lock, references and pin_count zero. */
export const held_lock = struct('held_lock', {
  /** The lock's map: which instance. */
  instance: pointer('lockdep_map'),
  /** Class number. */
  class_idx: word,
  /** HELD_* bits. */
  flags: word,
  /** Shadow-stack number of the function that took it. */
  acquire_fn: word,
  /** Chain key before this lock, two words. */
  prev_chain_lo: word,
  prev_chain_hi: word,
  /** Least inner wait type of the context and the locks held in it, this one included. */
  wait_min: word,
  nest_lock: pointer('lockdep_map'),
  references: word,
  pin_count: word,
  subclass: word,
  spare: words(5),
});

/** Bits of held_lock.flags: mode in the lowest two (0 write, 1 non-recursive read, 2 recursive read). */
export const HELD_READ_MASK = 3;
export const HELD_TRYLOCK = 4;
/** Full validation, not only the held stack. */
export const HELD_CHECK = 8;
/** Bit 0 of the context: soft interrupt, bit 1: hard. */
export const HELD_CONTEXT_SHIFT = 4;
export const HELD_CONTEXT_MASK = 3 << HELD_CONTEXT_SHIFT;
/** Hard interrupts were off when it was taken. */
export const HELD_HARDIRQS_OFF = 64;

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
  /** Number of the name; see {@link set_task_comm}. */
  comm: word,
  flags: word,
  /** Atomic: a fatal signal is pending. Written by others. */
  signal_pending: word,
  mm: pointer('mm_struct'),
  /** Times the task had to queue for an rw_semaphore (tracepoint contention_begin). */
  contended: word,
  /** The allocation that takes it from 1 to 0 fails (lib/fault-inject.ts); 0: none does. */
  fail_nth: word,
  /** TIF_MEMDIE: the OOM killer chose this task. Atomic, written by others. */
  oom_victim: word,
  // What lockdep keeps per task. All zero is a task that holds nothing, in task context, with interrupts on.
  lockdep_depth: word,
  /** Key of the chain of locks held in the current context, two words. */
  chain_key_lo: word,
  chain_key_hi: word,
  /** IRQ_* bits of kernel/irqflags.ts: which interrupts are off, which context this is. */
  irq_state: word,
  hardirq_context: word,
  softirq_context: word,
  /** Times that soft interrupts were disabled. */
  softirq_disable_depth: word,
  /** Spinlocks held and disables of preemption, as in_atomic() counts them. */
  preempt_count: word,
  rcu_read_lock_nesting: word,
  /** PF_MEMALLOC_NOFS: allocations must not enter filesystem reclaim. */
  nofs_depth: word,
  /** Acquires that the chain cache answered. */
  chain_lookup_hits: word,
  chain_lookup_misses: word,
  hardirqs_on_events: word,
  hardirqs_off_events: word,
  softirqs_on_events: word,
  softirqs_off_events: word,
  redundant_hardirqs_on: word,
  redundant_hardirqs_off: word,
  redundant_softirqs_on: word,
  redundant_softirqs_off: word,
  /** Findings of this task, and the entry in the log of the first since it was set to 0 (plus one). */
  reports: word,
  /** Reads of an rwlock_t count as recursive (rwlock.ts). */
  force_read_lock_recursive: word,
  first_report: word,
  /** Function numbers: where interrupts were last switched (hard on, hard off, soft on, soft off), and the event counts then. */
  irq_event_fn: words(4),
  irq_event_stamp: words(4),
  irq_events: word,
  waiter: embedArray(rwsem_waiter, 1),
  held_locks: embedArray(held_lock, MAX_LOCK_DEPTH),
  lockdep_reserved: words(64),
});

/** The task that this thread plays now. @inline */
export function current(): Ptr<'task_struct'> {
  return (currentArea() + AREA_KERNEL) as Ptr<'task_struct'>;
}

/** The task in area `index`. */
export function taskOf(index: number): Ptr<'task_struct'> {
  return (areaOf(index) + AREA_KERNEL) as Ptr<'task_struct'>;
}

/** Entry `i` of a task's held stack. @inline */
export function heldLock(tsk: Ptr<'task_struct'>, i: number): Ptr<'held_lock'> {
  return (tsk + task_struct.held_locks + i * held_lock.SIZE) as unknown as Ptr<'held_lock'>;
}

/** Names a task, as in `ksmd/42`. @notrace */
export function set_task_comm(tsk: Ptr<'task_struct'>, name: string): void {
  set(tsk, task_struct.comm, textNumber(name));
}

/** The name of a task; `swapper` when it has none. @notrace */
export function get_task_comm(tsk: Ptr<'task_struct'>): string {
  return textOf(get(tsk, task_struct.comm)) || 'swapper';
}
