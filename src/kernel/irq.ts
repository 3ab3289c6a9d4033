/**
 * Hard interrupts of an emulated task (kernel/irq, include/linux/irqflags.h, Linux 6.1). Nothing interrupts by itself:
 * an experiment enters a handler with {@link irq_enter} at a place of its choice.
 * @notrace
 */
import { get } from '../machine/door.ts';
import { current, task_struct } from './include/task_struct.ts';
import { IRQ_HARD_OFF } from './irqflags.ts';
import {
  lockdep_hardirq_enter,
  lockdep_hardirq_exit,
  lockdep_hardirq_threaded,
  lockdep_hardirqs_off,
  lockdep_hardirqs_on,
} from './locking/lockdep/irqtrace.ts';

/** Hard interrupts off. Does not nest. */
export function local_irq_disable(): void {
  lockdep_hardirqs_off();
}

/** Hard interrupts on. */
export function local_irq_enable(): void {
  lockdep_hardirqs_on();
}

/** Hard interrupts off; gives what {@link local_irq_restore} needs: whether they were off before. */
export function local_irq_save(): number {
  const flags = get(current(), task_struct.irq_state) & IRQ_HARD_OFF;
  if (flags === 0) lockdep_hardirqs_off();
  return flags;
}

/** As they were at {@link local_irq_save}. */
export function local_irq_restore(flags: number): void {
  if (flags === 0) lockdep_hardirqs_on();
}

/** A hard interrupt handler begins. Must be called with hard interrupts off. */
export function irq_enter(): void {
  lockdep_hardirq_enter();
}

/** It ends. */
export function irq_exit(): void {
  lockdep_hardirq_exit();
}

/** Marks the handler as one that PREEMPT_RT would run in a thread: it may take a spinlock_t. */
export function irq_enter_threaded(): void {
  lockdep_hardirq_threaded();
}
