/** Notices tasks that neither get on nor sleep of their own will: a deadlock, or a loop without end. */
import { held_lock, task_struct, taskOf } from '../../kernel/include/task_struct.ts';
import { lockdep_map } from '../../kernel/locking/lockdep/types.ts';
import { elementOf, get } from '../../machine/door.ts';
import { NULL } from '../../machine/layout.ts';
import { i32 } from '../../machine/memory.ts';
import { functionInfo, shadowStack } from '../../machine/shadow-stack.ts';
import { AREA_CLOCK, areaOf } from '../../machine/task-area.ts';
import { textOf } from '../../machine/text.ts';
import { countersOf, taskCounters } from './counters.ts';
import type { Role } from './roles.ts';

/** A task that stands still for so long hangs. The longest honest round (a million areas) takes less. */
const HANGS_AFTER_MS = 10_000;

interface Seen {
  mark: number;
  since: number;
}

export class Watchdog {
  readonly #roles: readonly Role[];
  readonly #seen = new Map<number, Seen>();

  /** @param roles  the tasks to watch */
  constructor(roles: readonly Role[]) {
    // ksmd alone may wait for work as long as it likes.
    this.#roles = roles.filter(({ role }) => role !== 'ksmd');
  }

  /** A sentence that names the tasks that hang, where they are and what they hold; undefined while all is well. */
  look(now: number): string | undefined {
    const hung = this.#roles.filter((role) => this.#standsStill(role, now));
    return hung.length === 0 ? undefined : `no progress for ${HANGS_AFTER_MS / 1000} s: ${hung.map(describe).join('; ')}`;
  }

  #standsStill({ index }: Role, now: number): boolean {
    const counters = countersOf(index);
    const mark = (get(counters, taskCounters.heartbeat) + (i32[(areaOf(index) + AREA_CLOCK) >> 2] as number)) | 0;
    const seen = this.#seen.get(index);
    const busy = get(counters, taskCounters.running) !== 0 && get(counters, taskCounters.asleep) === 0;
    if (seen === undefined || seen.mark !== mark || !busy) {
      this.#seen.set(index, { mark, since: now });
      return false;
    }
    return now - seen.since >= HANGS_AFTER_MS;
  }
}

/** Where a task is and what it holds; needs the validator for the latter. */
function describe({ index, comm }: Role): string {
  const stack = shadowStack(areaOf(index)).map((fn) => functionInfo(fn)?.name ?? '?');
  const task = taskOf(index);
  const held: string[] = [];
  for (let i = 0; i < get(task, task_struct.lockdep_depth); i++) {
    const map = get(elementOf(task, task_struct.held_locks, held_lock, i), held_lock.instance);
    if (map !== NULL) held.push(textOf(get(map, lockdep_map.name)));
  }
  return `${comm} in ${stack.join(' < ') || 'no kernel function'}${held.length > 0 ? `, holding ${held.join(', ')}` : ''}`;
}
