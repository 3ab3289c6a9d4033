/**
 * The report of the hung task detector (kernel/hung_task.c, Linux 6.1): who waits, where, and what every task holds. It
 * only reads what tasks keep in shared memory, so any thread may ask. @notrace
 */
import { get } from '../machine/door.ts';
import { i32 as arenaWords } from '../machine/memory.ts';
import { shadowStack } from '../machine/shadow-stack.ts';
import { AREA_WAITING_ON, areaOf, MAX_TASKS } from '../machine/task-area.ts';
import { task_struct, taskOf } from './include/task_struct.ts';
import { lockdep_print_held_locks, taskText } from './locking/lockdep/report-text.ts';
import { functionText } from './locking/lockdep/stack-trace.ts';
import { countReport, reportSlot, writeReport } from './printk.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** The functions that a task is in, innermost first, as frames of a call trace. */
function callTrace(index: number): string[] {
  return ['Call Trace:', ' <TASK>', ...shadowStack(areaOf(index)).map((fn) => ` ${functionText(fn)}`), ' </TASK>'];
}

/** Does this task wait in the host's wait now? A racy look. */
export function isWaiting(index: number): boolean {
  return i32[(areaOf(index) + AREA_WAITING_ON) >> 2] !== 0;
}

/** A task, its state and where it is. */
function taskLines(index: number): string[] {
  const task = taskOf(index);
  const state = isWaiting(index) ? 'D' : 'R';
  return [`task:${taskText(task).split('/')[0]} state:${state} pid:${get(task, task_struct.pid)}`, ...callTrace(index)];
}

/**
 * Lines on tasks that have been blocked for `seconds`: their stacks, those of the others, then the locks of every task that
 * holds any.
 * @param hung  indices of the blocked tasks
 * @param others  indices of all other tasks
 */
export function hungTaskLines(hung: readonly number[], seconds: number, others: readonly number[] = []): string[] {
  const lines: string[] = [];
  for (const index of hung) {
    lines.push(`INFO: task ${taskText(taskOf(index)).replace(/\/(\d+)$/, ':$1')} blocked for more than ${seconds} seconds.`);
    lines.push(...taskLines(index));
  }
  for (const index of others) lines.push(...taskLines(index));
  lines.push('', 'Showing all locks held in the system:');
  for (let index = 0; index < MAX_TASKS; index++) {
    const task = taskOf(index);
    if (get(task, task_struct.lockdep_depth) > 0) lines.push(...lockdep_print_held_locks(task));
  }
  lines.push('', '='.repeat(45), '');
  return lines;
}

/** Files the report on blocked tasks; once per set of them. Parameters as in {@link hungTaskLines}. */
export function reportHungTasks(hung: readonly number[], seconds: number, others: readonly number[] = []): void {
  const key = hung.map((index) => taskText(taskOf(index))).join(' ');
  const slot = reportSlot('hung-task', key);
  if (!countReport(slot)) return;
  writeReport(slot, {
    kind: 'hung-task',
    title: 'task blocked for too long',
    key,
    lines: hungTaskLines(hung, seconds, others),
    details: { hung: [...hung] },
  });
}
