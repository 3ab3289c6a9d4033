/** What a task that cannot go on is doing: its stack, what it waits for, the locks it holds. */
import { HELD_READ_MASK, held_lock, heldLock, task_struct, taskOf } from '../../kernel/include/task_struct.ts';
import { lockdep_map } from '../../kernel/locking/lockdep/types.ts';
import type { ScenarioTask } from '../../kernel/scenarios/scenario.ts';
import { get } from '../../machine/door.ts';
import { NULL } from '../../machine/layout.ts';
import { POINT_AWAIT, POINT_LOCK, POINT_RLOCK } from '../../machine/points.ts';
import { functionInfo, shadowStack } from '../../machine/shadow-stack.ts';
import { areaOf } from '../../machine/task-area.ts';
import { textOf } from '../../machine/text.ts';

const WAITS_FOR: Record<number, string> = {
  [POINT_LOCK]: 'a lock',
  [POINT_RLOCK]: 'a lock for reading',
  [POINT_AWAIT]: 'a word to change',
};

/** Names of the locks that task `index` holds, first taken first; empty when the validator is off. */
export function heldLocks(index: number): string[] {
  const task = taskOf(index);
  const out: string[] = [];
  for (let i = 0; i < get(task, task_struct.lockdep_depth); i++) {
    const held = heldLock(task, i);
    const map = get(held, held_lock.instance);
    if (map !== NULL)
      out.push(`${textOf(get(map, lockdep_map.name))}${(get(held, held_lock.flags) & HELD_READ_MASK) !== 0 ? ' (read)' : ''}`);
  }
  return out;
}

/**
 * @param live  bits of the tasks that are not through
 * @returns lines for people, and a key that is the same whenever the same tasks are stuck in the same functions
 */
export function describeStuckTasks(
  live: number,
  tasks: readonly ScenarioTask[],
  kind: Int32Array,
  address: Int32Array,
): { key: string; lines: string[] } {
  const lines: string[] = [];
  const keys: string[] = [];
  for (const [t, { name }] of tasks.entries()) {
    if ((live & (1 << t)) === 0) continue;
    const stack = shadowStack(areaOf(t)).map((fn) => functionInfo(fn)?.name ?? `function ${fn}`);
    const held = heldLocks(t);
    const waits = WAITS_FOR[kind[t] as number];
    lines.push(
      `${name} (task ${t})${waits === undefined ? ' can go on' : ` waits for ${waits} at 0x${(address[t] as number).toString(16)}`}`,
    );
    lines.push(...stack.map((fn) => `  ${fn}()`));
    lines.push(`  holds ${held.length === 0 ? 'no lock' : held.join(', ')}`);
    keys.push(`${name} in ${stack[0] ?? 'its start'}`);
  }
  return { key: keys.join(', '), lines };
}
