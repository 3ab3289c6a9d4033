/**
 * The state of interrupts per emulated task, in one word, and what follows from it (include/linux/irqflags.h, Linux 6.1).
 * Nothing interrupts a task by itself: code under test enters an interrupt with the functions of irq.ts.
 * @notrace
 */
import { get } from '../machine/door.ts';
import { current, task_struct } from './include/task_struct.ts';

/** Bits of task_struct.irq_state. 0: task context with all interrupts on. */
export const IRQ_HARD_OFF = 1;
export const IRQ_SOFT_OFF = 2;
export const IRQ_IN_SOFT = 4;
export const IRQ_IN_HARD = 8;
/** The hard interrupt is one that PREEMPT_RT would run in a thread. */
export const IRQ_THREADED = 16;
/** Number of different states. */
export const IRQ_STATES = 32;

/** Are hard interrupts off for this task? */
export function irqs_disabled(): boolean {
  return (get(current(), task_struct.irq_state) & IRQ_HARD_OFF) !== 0;
}

/** Is this hard interrupt context? */
export function in_hardirq(): boolean {
  return (get(current(), task_struct.irq_state) & IRQ_IN_HARD) !== 0;
}

/** Is this soft interrupt context? */
export function in_serving_softirq(): boolean {
  return (get(current(), task_struct.irq_state) & IRQ_IN_SOFT) !== 0;
}

/** The chain context of a state: bit 0 soft, bit 1 hard. */
export function irqContext(state: number): number {
  return (state >> 2) & 3;
}
