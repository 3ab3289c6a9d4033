/**
 * Reports on single locks: wait context, unlock balance, nest lock, freed or initialised while held, held on leaving the
 * kernel, pins, and broken assertions.
 * @notrace
 */

import type { Ptr } from '../../../machine/layout.ts';
import { get } from '../../../machine/plain.ts';
import { currentFunction } from '../../../machine/shadow-stack.ts';
import { textOf } from '../../../machine/text.ts';
import { current, held_lock, task_struct } from '../../include/task_struct.ts';
import { WAIT_OF_CONTEXT } from './contexts.ts';
import { className } from './names.ts';
import { fileReport } from './report.ts';
import { print_irqtrace_events } from './report-irq.ts';
import {
  banner,
  cpuLine,
  dump_stack,
  heldDetails,
  lockDetails,
  lockdep_print_held_locks,
  pointerText,
  print_lock,
  taskText,
} from './report-text.ts';
import { functionText, stackFrames } from './stack-trace.ts';
import { lockdep_map } from './types.ts';

/** Reports a lock that may wait longer than the context or a held lock allows. */
export function reportWaitContext(hlock: Ptr<'held_lock'>): void {
  const name = className(get(hlock, held_lock.class_idx));
  const wait = WAIT_OF_CONTEXT[get(current(), task_struct.irq_state)] as number;
  const key = `${name} in ${functionText(get(hlock, held_lock.acquire_fn))} ${wait}`;
  fileReport('invalid-wait-context', 'Invalid wait context', key, true, () => ({
    lines: [
      ...banner('[ BUG: Invalid wait context ]', 29),
      `${taskText(current())} is trying to lock:`,
      print_lock(hlock),
      'other info that might help us debug this:',
      `context-{${wait}:${wait}}`,
      ...lockdep_print_held_locks(current()),
      'stack backtrace:',
      ...dump_stack(),
    ],
    details: { subject: lockDetails(hlock), task_wait: wait, held: heldDetails(current()) },
  }));
}

/** Reports the release of a lock that the task does not hold. */
export function reportUnlockImbalance(map: Ptr<'lockdep_map'>): void {
  const name = textOf(get(map, lockdep_map.name));
  const fn = functionText(currentFunction());
  fileReport('bad-unlock-balance', 'bad unlock balance detected', `${name} in ${fn}`, true, () => ({
    lines: [
      ...banner('WARNING: bad unlock balance detected!', 37),
      `${taskText(current())} is trying to release lock (${name}) at:`,
      fn,
      'but there are no more locks to release!',
      '',
      'other info that might help us debug this:',
      ...lockdep_print_held_locks(current()),
      '',
      'stack backtrace:',
      ...dump_stack(),
    ],
    details: { releasing: name, held: heldDetails(current()) },
  }));
}

/** Reports that the lock said to serialise a nested one is not held. */
export function reportNestNotHeld(hlock: Ptr<'held_lock'>, nest: Ptr<'lockdep_map'>): void {
  const name = className(get(hlock, held_lock.class_idx));
  const nestName = textOf(get(nest, lockdep_map.name));
  fileReport('nest-lock-not-taken', 'Nested lock was not taken', `${name} under ${nestName}`, true, () => {
    const trace = dump_stack();
    const lines = [
      ...banner('WARNING: Nested lock was not taken', 34),
      `${taskText(current())} is trying to lock:`,
      print_lock(hlock),
      '',
      'but this task is not holding:',
      nestName,
      '',
      'stack backtrace:',
      ...trace,
      '',
      'other info that might help us debug this:',
      ...lockdep_print_held_locks(current()),
      '',
      'stack backtrace:',
      ...trace,
    ];
    return { lines, details: { subject: lockDetails(hlock), nest: nestName, held: heldDetails(current()) } };
  });
}

/**
 * Reports memory that is freed, or initialised again, with a held lock in it.
 * @param bytes  from `start` on
 */
export function reportHeldLockFreed(
  kind: 'held-lock-freed' | 'held-lock-reinit',
  start: number,
  bytes: number,
  hlock: Ptr<'held_lock'>,
): void {
  const name = className(get(hlock, held_lock.class_idx));
  const verb = kind === 'held-lock-freed' ? 'freed' : 'initialised again';
  fileReport(kind, `held lock ${verb}`, `${name} in ${functionText(currentFunction())}`, true, () => ({
    lines: [
      ...banner('WARNING: held lock freed!', 25),
      `${taskText(current())} is freeing memory ${pointerText(start)}-${pointerText(start + bytes - 1)}, with a lock still held there!`,
      print_lock(hlock),
      ...lockdep_print_held_locks(current()),
      '',
      'stack backtrace:',
      ...dump_stack(),
    ],
    details: { subject: lockDetails(hlock), held: heldDetails(current()) },
  }));
}

/** Reports locks that a task still holds when it leaves the kernel. */
export function reportHeldAtExit(): void {
  const held = heldDetails(current());
  const key = held.map((lock) => lock.class).join(' ');
  fileReport('held-lock-at-exit', 'lock held when returning to user space', key, true, () => ({
    lines: [
      ...banner('WARNING: lock held when returning to user space!', 48),
      `${taskText(current())} is leaving the kernel with locks still held!`,
      ...lockdep_print_held_locks(current()),
    ],
    details: { held },
  }));
}

/**
 * Reports a broken assertion: what WARN_ON prints.
 * @param condition  the text that DEBUG_LOCKS_WARN_ON prints before the place, or '' for a bare WARN_ON
 * @param turnsOff  true for DEBUG_LOCKS_WARN_ON
 */
export function reportWarning(kind: string, condition: string, turnsOff: boolean): void {
  const frames = stackFrames().map((frame) => textOf(frame));
  const at = frames[0] ?? functionText(currentFunction());
  fileReport(kind, condition || 'assertion failed', `${condition} ${at}`, turnsOff, () => {
    const [fn = 'unknown', place = 'unknown'] = at.split('+');
    const cpu = cpuLine();
    const head = cpu.slice(0, cpu.indexOf(' Comm:'));
    const lines = ['------------[ cut here ]------------'];
    if (condition !== '') lines.push(condition);
    lines.push(`WARNING: ${head} at ${place} ${fn}`, ...dump_stack(), ...print_irqtrace_events(), '---[ end trace 0000000000000000 ]---');
    return { lines, details: { condition, held: heldDetails(current()) } };
  });
}
