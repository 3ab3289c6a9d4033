/**
 * What the validator does when interrupts are switched and interrupt contexts entered (trace_irqflags, Linux 6.1).
 * @notrace
 */
import { bootOptions } from '../../../machine/boot.ts';
import type { Field, Ptr, Word } from '../../../machine/layout.ts';
import { i32 as arenaWords } from '../../../machine/memory.ts';
import { get, set } from '../../../machine/plain.ts';
import { currentFunction } from '../../../machine/shadow-stack.ts';
import { current, HELD_CHECK, HELD_READ_MASK, held_lock, heldLock, task_struct } from '../../include/task_struct.ts';
import { IRQ_HARD_OFF, IRQ_IN_HARD, IRQ_IN_SOFT, IRQ_SOFT_OFF, IRQ_THREADED } from '../../irqflags.ts';
import { debug_locks_warn } from './asserts.ts';
import { debugLocks, graph_lock, graph_unlock, lock_class, lockClass } from './internals.ts';
import { LOCK_ENABLED_HARDIRQ, LOCK_ENABLED_SOFTIRQ, READ } from './names.ts';
import { mark_lock } from './usage.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;
const LOCKDEP = bootOptions().lockdep !== 'off';

type TaskWord = Field<'task_struct', Word>;

/** Rows of task_struct.irq_event_fn: hard on, hard off, soft on, soft off. */
function noteEvent(curr: Ptr<'task_struct'>, row: number, events: TaskWord): void {
  const stamp = get(curr, task_struct.irq_events) + 1;
  set(curr, task_struct.irq_events, stamp);
  set(curr, events, get(curr, events) + 1);
  i32[((curr + task_struct.irq_event_fn) >> 2) + row] = currentFunction();
  i32[((curr + task_struct.irq_event_stamp) >> 2) + row] = stamp;
}

/** Every held lock is held with the interrupt on from now on. @param bit  LOCK_ENABLED_* */
function mark_held_locks(curr: Ptr<'task_struct'>, bit: number): void {
  for (let i = 0; i < get(curr, task_struct.lockdep_depth); i++) {
    const held = heldLock(curr, i);
    const flags = get(held, held_lock.flags);
    if ((flags & HELD_CHECK) === 0) continue;
    const one = (flags & HELD_READ_MASK) !== 0 ? bit + READ : bit;
    if ((get(lockClass(get(held, held_lock.class_idx)), lock_class.clean_usage) & (1 << one)) !== 0) continue;
    graph_lock();
    try {
      mark_lock(held, one);
    } finally {
      graph_unlock();
    }
  }
}

/** Hard interrupts are off from now on. */
export function lockdep_hardirqs_off(): void {
  const curr = current();
  const state = get(curr, task_struct.irq_state);
  if ((state & IRQ_HARD_OFF) !== 0) {
    set(curr, task_struct.redundant_hardirqs_off, get(curr, task_struct.redundant_hardirqs_off) + 1);
    return;
  }
  set(curr, task_struct.irq_state, state | IRQ_HARD_OFF);
  noteEvent(curr, 1, task_struct.hardirqs_off_events);
}

/** Hard interrupts are on from now on. */
export function lockdep_hardirqs_on(): void {
  const curr = current();
  const state = get(curr, task_struct.irq_state);
  if ((state & IRQ_HARD_OFF) === 0) {
    set(curr, task_struct.redundant_hardirqs_on, get(curr, task_struct.redundant_hardirqs_on) + 1);
    return;
  }
  // An interrupt handler must not switch interrupts on: it would be interrupted by its own kind.
  if ((state & IRQ_IN_HARD) !== 0) debug_locks_warn('lockdep_hardirq_context()');
  if (LOCKDEP && debugLocks()) {
    // Before they are on: none may come while the held locks are looked at.
    mark_held_locks(curr, LOCK_ENABLED_HARDIRQ);
    if ((state & IRQ_SOFT_OFF) === 0) mark_held_locks(curr, LOCK_ENABLED_SOFTIRQ);
  }
  set(curr, task_struct.irq_state, state & ~IRQ_HARD_OFF);
  noteEvent(curr, 0, task_struct.hardirqs_on_events);
}

/** Soft interrupts are off from now on. */
export function lockdep_softirqs_off(): void {
  const curr = current();
  const state = get(curr, task_struct.irq_state);
  if ((state & IRQ_SOFT_OFF) !== 0) {
    set(curr, task_struct.redundant_softirqs_off, get(curr, task_struct.redundant_softirqs_off) + 1);
    return;
  }
  set(curr, task_struct.irq_state, state | IRQ_SOFT_OFF);
  noteEvent(curr, 3, task_struct.softirqs_off_events);
}

/** Soft interrupts are on from now on. They come only while hard ones are on too. */
export function lockdep_softirqs_on(): void {
  const curr = current();
  const state = get(curr, task_struct.irq_state);
  if ((state & IRQ_SOFT_OFF) === 0) {
    set(curr, task_struct.redundant_softirqs_on, get(curr, task_struct.redundant_softirqs_on) + 1);
    return;
  }
  set(curr, task_struct.irq_state, state & ~IRQ_SOFT_OFF);
  noteEvent(curr, 2, task_struct.softirqs_on_events);
  if (LOCKDEP && debugLocks() && (state & IRQ_HARD_OFF) === 0) mark_held_locks(curr, LOCK_ENABLED_SOFTIRQ);
}

/** Sets or clears a bit of the interrupt state. */
function setState(curr: Ptr<'task_struct'>, bit: number, on: boolean): void {
  const state = get(curr, task_struct.irq_state);
  set(curr, task_struct.irq_state, on ? state | bit : state & ~bit);
}

/** A hard interrupt begins. The outermost one is not threaded until said so. */
export function lockdep_hardirq_enter(): void {
  const curr = current();
  if (get(curr, task_struct.hardirq_context) === 0) setState(curr, IRQ_THREADED, false);
  set(curr, task_struct.hardirq_context, get(curr, task_struct.hardirq_context) + 1);
  setState(curr, IRQ_IN_HARD, true);
}

/** This hard interrupt is one that PREEMPT_RT would run in a thread. */
export function lockdep_hardirq_threaded(): void {
  setState(current(), IRQ_THREADED, true);
}

/** A hard interrupt ends. */
export function lockdep_hardirq_exit(): void {
  const curr = current();
  const left = get(curr, task_struct.hardirq_context) - 1;
  set(curr, task_struct.hardirq_context, left);
  if (left === 0) setState(curr, IRQ_IN_HARD | IRQ_THREADED, false);
}

/** A soft interrupt begins. */
export function lockdep_softirq_enter(): void {
  const curr = current();
  set(curr, task_struct.softirq_context, get(curr, task_struct.softirq_context) + 1);
  setState(curr, IRQ_IN_SOFT, true);
}

/** A soft interrupt ends. */
export function lockdep_softirq_exit(): void {
  const curr = current();
  const left = get(curr, task_struct.softirq_context) - 1;
  set(curr, task_struct.softirq_context, left);
  if (left === 0) setState(curr, IRQ_IN_SOFT, false);
}
