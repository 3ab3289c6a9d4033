/**
 * The parts that the kernel's reports share, line by line: title, locks, held locks, stack.
 * @notrace
 */

import type { Ptr } from '../../../machine/layout.ts';
import { i32 as arenaWords } from '../../../machine/memory.ts';
import { get } from '../../../machine/plain.ts';
import { AREA_INDEX, AREA_KERNEL } from '../../../machine/task-area.ts';
import { textOf } from '../../../machine/text.ts';
import { current, get_task_comm, HELD_READ_MASK, held_lock, heldLock, task_struct } from '../../include/task_struct.ts';
import { IRQ_HARD_OFF, IRQ_IN_HARD, IRQ_IN_SOFT, IRQ_SOFT_OFF } from '../../irqflags.ts';
import { lock_class, lockClass } from './internals.ts';
import { className, usageLetters } from './names.ts';
import { functionText, stackFrames } from './stack-trace.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** The release that reports name, where Linux prints its own. */
export const KERNEL_RELEASE = '6.1.0-ksmrace';

/** An arena address as a pointer into the kernel's direct map. */
export function pointerText(address: number): string {
  return `ffff8880${address.toString(16).padStart(8, '0')}`;
}

/** The head of a report: blank, rule, title, release, rule. */
export function banner(title: string, width: number): string[] {
  return ['', '='.repeat(width), title, `${KERNEL_RELEASE} Not tainted`, '-'.repeat(width)];
}

/** `init/36`. */
export function taskText(tsk: Ptr<'task_struct'>): string {
  return `${get_task_comm(tsk)}/${get(tsk, task_struct.pid)}`;
}

/** ` (&mm->mmap_lock){++++}-{4:4}`, with the blank in front. */
export function print_lock_name(idx: number): string {
  const c = lockClass(idx);
  const inner = get(c, lock_class.wait_type_inner);
  return ` (${className(idx)}){${usageLetters(idx)}}-{${get(c, lock_class.wait_type_outer) || inner}:${inner}}`;
}

/** A held lock: address, name, where it was taken. */
export function print_lock(hlock: Ptr<'held_lock'>): string {
  const idx = get(hlock, held_lock.class_idx);
  return `${pointerText(get(hlock, held_lock.instance))}${print_lock_name(idx)}, at: ${functionText(get(hlock, held_lock.acquire_fn))}`;
}

/** `2 locks held by init/1:` and the locks. */
export function lockdep_print_held_locks(tsk: Ptr<'task_struct'>, depth = get(tsk, task_struct.lockdep_depth)): string[] {
  if (depth === 0) return [`no locks held by ${taskText(tsk)}.`];
  const out = [`${depth} lock${depth > 1 ? 's' : ''} held by ${taskText(tsk)}:`];
  for (let i = 0; i < depth; i++) out.push(` #${i}: ${print_lock(heldLock(tsk, i))}`);
  return out;
}

/** `CPU: 1 PID: 36 Comm: init Not tainted ...`. A task counts as a CPU of its own. */
export function cpuLine(): string {
  const tsk = current();
  const cpu = i32[(tsk - AREA_KERNEL + AREA_INDEX) >> 2] as number;
  return `CPU: ${cpu} PID: ${get(tsk, task_struct.pid)} Comm: ${get_task_comm(tsk)} Not tainted ${KERNEL_RELEASE} `;
}

/** Where the current task is: the CPU line and the call trace of the real stack. */
export function dump_stack(): string[] {
  const state = get(current(), task_struct.irq_state);
  const tag = (state & (IRQ_IN_HARD | IRQ_IN_SOFT)) !== 0 ? 'IRQ' : 'TASK';
  return [cpuLine(), 'Call Trace:', ` <${tag}>`, ...stackFrames().map((frame) => ` ${textOf(frame)}`), ` </${tag}>`];
}

/** The interrupt state as reports print it: `[HC0[0]:SC0[0]:HE1:SE1]`. */
export function irqStateText(): string {
  const state = get(current(), task_struct.irq_state);
  const hard = (state & IRQ_IN_HARD) !== 0 ? 1 : 0;
  const soft = (state & IRQ_IN_SOFT) !== 0 ? 1 : 0;
  return `[HC${hard}[${hard}]:SC${soft}[${soft}]:HE${(state & IRQ_HARD_OFF) === 0 ? 1 : 0}:SE${(state & IRQ_SOFT_OFF) === 0 ? 1 : 0}]`;
}

/** A lock as programs read it from `details`. */
export interface LockDetails {
  lock?: number;
  class: string;
  usage: string;
  wait: [outer: number, inner: number];
  read?: number;
}

/** A class for `details`. */
export function classDetails(idx: number): LockDetails {
  const c = lockClass(idx);
  const inner = get(c, lock_class.wait_type_inner);
  return { class: className(idx), usage: usageLetters(idx), wait: [get(c, lock_class.wait_type_outer) || inner, inner] };
}

/** A held lock for `details`; `lock` is the address of its map. */
export function lockDetails(hlock: Ptr<'held_lock'>): LockDetails {
  const details = classDetails(get(hlock, held_lock.class_idx));
  return { ...details, lock: get(hlock, held_lock.instance), read: get(hlock, held_lock.flags) & HELD_READ_MASK };
}

/** The held stack for `details`, outermost first. */
export function heldDetails(tsk: Ptr<'task_struct'>, depth = get(tsk, task_struct.lockdep_depth)): LockDetails[] {
  const out: LockDetails[] = [];
  for (let i = 0; i < depth; i++) out.push(lockDetails(heldLock(tsk, i)));
  return out;
}

/** The interrupt state for `details`. */
export function contextDetails(): Record<string, number> {
  const state = get(current(), task_struct.irq_state);
  return {
    hardirq_ctx: (state & IRQ_IN_HARD) !== 0 ? 1 : 0,
    softirq_ctx: (state & IRQ_IN_SOFT) !== 0 ? 1 : 0,
    hardirqs_on: (state & IRQ_HARD_OFF) === 0 ? 1 : 0,
    softirqs_on: (state & IRQ_SOFT_OFF) === 0 ? 1 : 0,
  };
}
