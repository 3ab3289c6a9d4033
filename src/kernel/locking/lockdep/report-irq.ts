/**
 * The reports on locks and interrupts: "inconsistent lock state", "possible irq lock inversion dependency",
 * "irq-safe -> irq-unsafe lock order".
 * @notrace
 */

import type { Ptr } from '../../../machine/layout.ts';
import { i32 as arenaWords } from '../../../machine/memory.ts';
import { get } from '../../../machine/plain.ts';
import { current, held_lock, task_struct } from '../../include/task_struct.ts';
import { type PathStep, pathTo } from './graph.ts';
import { LOCK_TRACE_STATES, lock_class, lock_list, lockClass, lockOps } from './internals.ts';
import { className, DIRECTION, irqName, READ, usageLetters, usageName } from './names.ts';
import { fileReport } from './report.ts';
import { CPU1, lockCall } from './report-circular.ts';
import {
  banner,
  classDetails,
  contextDetails,
  dump_stack,
  heldDetails,
  irqStateText,
  lockDetails,
  lockdep_print_held_locks,
  pointerText,
  print_lock,
  print_lock_name,
  taskText,
} from './report-text.ts';
import { functionText, save_trace, traceLines } from './stack-trace.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** Where a class got a usage bit. */
function usageTrace(idx: number, bit: number): string[] {
  return traceLines(i32[((lockClass(idx) + lock_class.usage_traces) >> 2) + bit] as number);
}

/** The last switches of interrupts of the current task. */
export function print_irqtrace_events(): string[] {
  const tsk = current();
  const what = ['hardirqs last  enabled', 'hardirqs last disabled', 'softirqs last  enabled', 'softirqs last disabled'];
  const lines = [`irq event stamp: ${get(tsk, task_struct.irq_events)}`];
  for (let i = 0; i < 4; i++) {
    const fn = i32[((tsk + task_struct.irq_event_fn) >> 2) + i] as number;
    const stamp = i32[((tsk + task_struct.irq_event_stamp) >> 2) + i] as number;
    lines.push(`${what[i]} at (${stamp}): ${stamp === 0 ? '0x0' : functionText(fn)}`);
  }
  return lines;
}

/** Reports that the class of a lock, or the new use of it, is not safe against the interrupt. */
export function reportUsage(hlock: Ptr<'held_lock'>, was: number, becomes: number): void {
  const idx = get(hlock, held_lock.class_idx);
  fileReport(
    'inconsistent-lock-state',
    'inconsistent lock state',
    `${className(idx)} ${usageName(was)} ${usageName(becomes)}`,
    true,
    () => {
      const lines = [
        ...banner('WARNING: inconsistent lock state', 32),
        `inconsistent {${usageName(was)}} -> {${usageName(becomes)}} usage.`,
        `${taskText(current())} ${irqStateText()} takes:`,
        print_lock(hlock),
        `{${usageName(was)}} state was registered at:`,
        ...usageTrace(idx, was).map((frame) => `  ${frame}`),
        ...print_irqtrace_events(),
        '',
        'other info that might help us debug this:',
        ' Possible unsafe locking scenario:',
        '',
        '       CPU0',
        '       ----',
        `  ${lockCall(idx)}`,
        '  <Interrupt>',
        `    ${lockCall(idx)}`,
        '',
        ' *** DEADLOCK ***',
        '',
        ...lockdep_print_held_locks(current()),
        '',
        'stack backtrace:',
        ...dump_stack(),
      ];
      const details = { usage_change: [usageName(was), usageName(becomes)], subject: lockDetails(hlock), context: contextDetails() };
      return { lines, details: { ...details, held: heldDetails(current()) } };
    },
  );
}

/** The table of an interrupt that closes a cycle. */
function irqScenario(safe: number, unsafe: number, prev: number, next: number, direct: boolean): string[] {
  const out: string[] = [];
  if (!direct) {
    const middle = prev === safe ? next : prev;
    out.push('Chain exists of:', ` ${[safe, middle, unsafe].map((idx) => ` ${className(idx)}`).join(' -->')}`, '');
  }
  out.push(
    ' Possible interrupt unsafe locking scenario:',
    '',
    '       CPU0                    CPU1',
    '       ----                    ----',
  );
  out.push(`  ${lockCall(unsafe)}`, `${CPU1}local_irq_disable();`, `${CPU1}${lockCall(safe)}`);
  out.push(
    `${CPU1}${lockCall(direct ? unsafe : prev === safe ? next : prev)}`,
    '  <Interrupt>',
    `    ${lockCall(safe)}`,
    '',
    ' *** DEADLOCK ***',
    '',
  );
  return out;
}

/** A class with where it got each of its usage bits, and its key. */
function print_lock_class_header(idx: number, indent: number): string[] {
  const pad = ' '.repeat(indent);
  const usage = get(lockClass(idx), lock_class.usage_mask);
  const lines = [`${pad}->${print_lock_name(idx)} ops: ${lockOps(idx)} {`];
  for (let bit = 0; bit < LOCK_TRACE_STATES; bit++) {
    if ((usage & (1 << bit)) === 0) continue;
    const head = `${pad}   ${usageName(bit)} at:`;
    lines.push(head, ...usageTrace(idx, bit).map((frame) => `${' '.repeat(head.length + 1)}${frame}`));
  }
  lines.push(`${pad} }`, `${pad} ... key      at: [<${pointerText(get(lockClass(idx), lock_class.key))}>] ${className(idx)}`);
  return lines;
}

/** The path from a lock to the one it reaches, the far end first, each class with its history. */
function print_shortest_lock_dependencies(path: readonly PathStep[], rootTrace: number): string[] {
  const lines: string[] = [];
  for (let i = path.length - 1; i >= 0; i--) {
    const step = path[i] as PathStep;
    const trace = i === 0 ? rootTrace : get(step.edge, lock_list.trace);
    lines.push(...print_lock_class_header(step.idx, i));
    if (trace !== 0) lines.push(`${' '.repeat(i)} ... acquired at:`, ...traceLines(trace).map((frame) => `${' '.repeat(i)}   ${frame}`));
    lines.push('');
  }
  return lines;
}

/**
 * Reports that the new use of a lock contradicts that of a lock it reaches.
 * @param found  queue index of the other lock in the search that began at this one
 * @param forward  this one took the other in the past; else the other took this one
 */
export function reportIrqInversion(hlock: Ptr<'held_lock'>, bit: number, found: number, forward: boolean): void {
  const path = pathTo(found);
  const idx = get(hlock, held_lock.class_idx);
  const other = (path.at(-1) as PathStep).idx;
  const key = `${className(idx)} ${usageName(bit)} ${className(other)}`;
  fileReport('irq-lock-inversion', 'possible irq lock inversion dependency detected', key, true, () => {
    // The other's use is for write, or else it must be for read.
    const otherWrites = ((get(lockClass(other), lock_class.usage_mask) >> ((bit & ~READ) ^ DIRECTION)) & 1) !== 0;
    const irq = irqName(otherWrites ? bit & ~READ : bit | READ);
    const past = forward
      ? `but this lock took another, ${irq}-unsafe lock in the past:`
      : `but this lock was taken by another, ${irq}-safe lock in the past:`;
    const middle = (path[Math.min(1, path.length - 1)] as PathStep).idx;
    const lines = [
      ...banner('WARNING: possible irq lock inversion dependency detected', 56),
      `${taskText(current())} just changed the state of lock:`,
      print_lock(hlock),
      past,
      print_lock_name(other),
      '',
      '',
      'and interrupts could create inverse lock ordering between them.',
      '',
      '',
      'other info that might help us debug this:',
    ];
    const direct = path.length === 2;
    if (forward) lines.push(...irqScenario(idx, other, idx, middle, direct));
    else lines.push(...irqScenario(other, idx, middle, idx, direct));
    lines.push(...lockdep_print_held_locks(current()), '', 'the shortest dependencies between 2nd lock and 1st lock:');
    lines.push(...print_shortest_lock_dependencies(path, save_trace()), '', 'stack backtrace:', ...dump_stack());
    const chain = path.map((step) => className(step.idx)).reverse();
    const details = { direction: forward ? 'forward' : 'backward', irq, other: classDetails(other), chain };
    return { lines, details: { ...details, subject: lockDetails(hlock), held: heldDetails(current()) } };
  });
}

/** What {@link reportSafeToUnsafe} is told about the two ends. */
export interface IrqConnection {
  /** From prev back to the safe lock. */
  safe: readonly PathStep[];
  safeBit: number;
  /** From next on to the unsafe lock. */
  unsafe: readonly PathStep[];
  unsafeBit: number;
}

/** Reports that the new dependency prev -> next connects an irq-safe lock with an irq-unsafe one. */
export function reportSafeToUnsafe(prev: Ptr<'held_lock'>, next: Ptr<'held_lock'>, ends: IrqConnection): void {
  const safe = (ends.safe.at(-1) as PathStep).idx;
  const unsafe = (ends.unsafe.at(-1) as PathStep).idx;
  const from = get(prev, held_lock.class_idx);
  const to = get(next, held_lock.class_idx);
  const irq = irqName(ends.safeBit);
  const key = `${className(from)} -> ${className(to)} (${usageName(ends.safeBit)} ${className(safe)}, ${usageName(ends.unsafeBit)} ${className(unsafe)})`;
  const title = `${irq}-safe -> ${irq}-unsafe lock order detected`;
  fileReport('irq-safe-to-unsafe', title, key, true, () => {
    const safeName = `${irq}-irq-safe`;
    const unsafeName = `${irq}-irq-unsafe`;
    const lines = [
      ...banner(`WARNING: ${title}`, 53),
      `${taskText(current())} ${irqStateText()} is trying to acquire:`,
      print_lock(next),
      '',
      'and this task is already holding:',
      print_lock(prev),
      'which would create a new lock dependency:',
      `${print_lock_name(from)} ->${print_lock_name(to)}`,
      '',
      `but this new dependency connects a ${safeName} lock:`,
      print_lock_name(safe),
      '',
      `... which became ${safeName} at:`,
      ...usageTrace(safe, ends.safeBit).map((frame) => `  ${frame}`),
      '',
      `to a ${unsafeName} lock:`,
      print_lock_name(unsafe),
      '',
      `... which became ${unsafeName} at:`,
      '...',
      ...usageTrace(unsafe, ends.unsafeBit).map((frame) => `  ${frame}`),
      '',
      'other info that might help us debug this:',
      '',
      ...irqScenario(safe, unsafe, from, to, safe === from && unsafe === to),
      ...lockdep_print_held_locks(current()),
      '',
      `the dependencies between ${safeName} lock and the holding lock:`,
      ...print_shortest_lock_dependencies(ends.safe, 0),
      'the dependencies between the lock to be acquired',
      ` and ${unsafeName} lock:`,
      ...print_shortest_lock_dependencies(ends.unsafe, save_trace()),
      '',
      'stack backtrace:',
      ...dump_stack(),
    ];
    const pair = (idx: number): { class: string; usage: string } => ({ class: className(idx), usage: usageLetters(idx) });
    const details = { irq, safe: pair(safe), unsafe: pair(unsafe), context: contextDetails() };
    return { lines, details: { ...details, subject: lockDetails(next), holding: lockDetails(prev), held: heldDetails(current()) } };
  });
}
