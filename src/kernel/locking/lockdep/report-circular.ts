/**
 * "possible circular locking dependency" and "possible recursive locking".
 * @notrace
 */

import type { Ptr } from '../../../machine/layout.ts';
import { get } from '../../../machine/plain.ts';
import { current, held_lock } from '../../include/task_struct.ts';
import { pathTo } from './graph.ts';
import { lock_list } from './internals.ts';
import { className } from './names.ts';
import { fileReport } from './report.ts';
import {
  banner,
  dump_stack,
  heldDetails,
  lockDetails,
  lockdep_print_held_locks,
  print_lock,
  print_lock_name,
  taskText,
} from './report-text.ts';
import { functionText, save_trace, traceLines } from './stack-trace.ts';

/** Start of the right column of the scenario tables. */
export const CPU1 = ' '.repeat(31);

/** A lock call in a scenario table. */
export function lockCall(idx: number): string {
  return `lock(${className(idx)});`;
}

/** The table of two CPUs that lock each other out. */
function scenario(prev: Ptr<'held_lock'>, next: Ptr<'held_lock'>, parent: number): string[] {
  const source = get(prev, held_lock.class_idx);
  const target = get(next, held_lock.class_idx);
  const out: string[] = [];
  if (parent !== target) out.push('Chain exists of:', ` ${[target, parent, source].map((idx) => ` ${className(idx)}`).join(' -->')}`, '');
  out.push(' Possible unsafe locking scenario:', '', '       CPU0                    CPU1', '       ----                    ----');
  out.push(`  ${lockCall(source)}`);
  out.push(`${CPU1}${lockCall(parent)}`, `${CPU1}${lockCall(source)}`);
  out.push(`  ${lockCall(target)}`, '', ' *** DEADLOCK ***', '');
  return out;
}

/**
 * Reports the cycle that prev -> next would close.
 * @param found  queue index of prev's class in the search that began at next's
 */
export function reportCircular(prev: Ptr<'held_lock'>, next: Ptr<'held_lock'>, found: number): void {
  const from = className(get(prev, held_lock.class_idx));
  const to = className(get(next, held_lock.class_idx));
  fileReport('circular-dependency', 'possible circular locking dependency detected', `${from} -> ${to}`, true, () => {
    const path = pathTo(found);
    const depth = path.length - 1;
    const lines = [
      ...banner('WARNING: possible circular locking dependency detected', 54),
      `${taskText(current())} is trying to acquire lock:`,
      print_lock(next),
      '',
      'but task is already holding lock:',
      print_lock(prev),
      '',
      'which lock already depends on the new lock.',
      '',
      '',
      'the existing dependency chain (in reverse order) is:',
    ];
    const here = save_trace();
    for (let i = depth; i >= 0; i--) {
      const step = path[i] as (typeof path)[number];
      const trace = i === 0 ? here : get(step.edge, lock_list.trace);
      lines.push('', `-> #${i}${print_lock_name(step.idx)}:`, ...traceLines(trace).map((frame) => `       ${frame}`));
    }
    const parent = path[Math.max(0, depth - 1)]?.idx as number;
    lines.push('', 'other info that might help us debug this:', '', ...scenario(prev, next, parent));
    lines.push(...lockdep_print_held_locks(current()), '', 'stack backtrace:', ...dump_stack());
    const chain = path.map((step) => className(step.idx)).reverse();
    return { lines, details: { subject: lockDetails(next), holding: lockDetails(prev), held: heldDetails(current()), chain } };
  });
}

/** Reports that a lock of the same class is held already. */
export function reportRecursive(curr: Ptr<'task_struct'>, prev: Ptr<'held_lock'>, next: Ptr<'held_lock'>): void {
  const name = className(get(next, held_lock.class_idx));
  const key = `${name} in ${functionText(get(next, held_lock.acquire_fn))}`;
  fileReport('recursive-locking', 'possible recursive locking detected', key, true, () => {
    const lines = [
      ...banner('WARNING: possible recursive locking detected', 44),
      `${taskText(curr)} is trying to acquire lock:`,
      print_lock(next),
      '',
      'but task is already holding lock:',
      print_lock(prev),
      '',
      'other info that might help us debug this:',
      ' Possible unsafe locking scenario:',
      '',
      '       CPU0',
      '       ----',
      `  ${lockCall(get(prev, held_lock.class_idx))}`,
      `  ${lockCall(get(next, held_lock.class_idx))}`,
      '',
      ' *** DEADLOCK ***',
      '',
      ' May be due to missing lock nesting notation',
      '',
      ...lockdep_print_held_locks(curr),
      '',
      'stack backtrace:',
      ...dump_stack(),
    ];
    return { lines, details: { subject: lockDetails(next), holding: lockDetails(prev), held: heldDetails(curr) } };
  });
}
