/**
 * Notices tasks that neither get on nor sleep of their own will. Where all of them wait, for a lock or for a partner that
 * does, it is a deadlock of the emulated kernel: a finding. Where one of them runs, a loop without end has them: a failure.
 */
import { isWaiting, reportHungTasks } from '../../kernel/hung_task.ts';
import { held_lock, task_struct, taskOf } from '../../kernel/include/task_struct.ts';
import { lockdep_map } from '../../kernel/locking/lockdep/types.ts';
import { elementOf, get } from '../../machine/door.ts';
import { NULL } from '../../machine/layout.ts';
import { i32 } from '../../machine/memory.ts';
import { functionInfo, shadowStack } from '../../machine/shadow-stack.ts';
import { AREA_CLOCK, areaOf } from '../../machine/task-area.ts';
import { textOf } from '../../machine/text.ts';
import { countersOf, taskCounters } from './counters.ts';
import { sleepsAtGate } from './gate.ts';
import type { WorldOrder } from './orders.ts';
import { PROCESS_TASK } from './paired.ts';
import type { Role } from './roles.ts';

/** Looks come every 20 ms. Where one is later than this, the whole process was stopped (SIGSTOP, a busy host), and its tasks with it. */
const MOST_GAP_MS = 250;

interface Seen {
  mark: number;
  since: number;
  /** Looks since then, and how many of them saw the task wait: between two slices of a wait it is awake for a moment. */
  looks: number;
  waiting: number;
  /** Looks that saw it wait for a lock rather than at the gate. */
  locked: number;
}

/** What hangs. */
export type Hang =
  /** Tasks that wait for each other; reported by {@link Watchdog.look}. */
  | { what: 'deadlock' }
  /** A sentence that names the tasks, where they are and what they hold. */
  | { what: 'loop'; message: string };

export class Watchdog {
  readonly #roles: readonly Role[];
  readonly #all: readonly Role[];
  readonly #paired: boolean;
  readonly #seconds: number;
  readonly #seen = new Map<number, Seen>();
  /** Ms in which tasks could run. */
  #ran = 0;
  #lastLook = Number.POSITIVE_INFINITY;

  /** @param roles  the tasks to watch */
  constructor(roles: readonly Role[], { shape, hungTaskSeconds }: Pick<WorldOrder, 'shape' | 'hungTaskSeconds'>) {
    // ksmd alone may wait for work as long as it likes.
    this.#roles = roles.filter(({ role }) => role !== 'ksmd');
    this.#all = roles;
    this.#paired = shape === 'paired';
    this.#seconds = hungTaskSeconds;
  }

  /** What hangs by now; undefined while all is well. A deadlock is filed in the kernel's log. */
  look(now: number): Hang | undefined {
    this.#ran += Math.min(MOST_GAP_MS, Math.max(0, now - this.#lastLook));
    this.#lastLook = now;
    // Every task is looked at before one is judged by the others.
    const still = this.#roles.map((role) => this.#stillFor(role, this.#ran));
    if (!still.some((ms) => ms >= this.#seconds * 1000)) return undefined;
    // Who waits for a hung task came to a halt a little later than that: half the time is enough for the others.
    const hung = this.#roles.filter((_, i) => (still[i] as number) >= this.#seconds * 500);
    const seen = hung.map(({ index }) => this.#seen.get(index) as Seen);
    const locked = hung.filter((_, i) => (seen[i] as Seen).locked * 2 > (seen[i] as Seen).looks);
    if (locked.length > 0 && seen.every(({ looks, waiting }) => waiting * 2 > looks)) {
      const others = this.#all.filter((role) => !locked.includes(role));
      reportHungTasks(
        locked.map(({ index }) => index),
        this.#seconds,
        others.map(({ index }) => index),
      );
      return { what: 'deadlock' };
    }
    return { what: 'loop', message: `no progress for ${this.#seconds} s: ${hung.map(describe).join('; ')}` };
  }

  /** For how many ms the task has stood still. */
  #stillFor({ index }: Role, now: number): number {
    const counters = countersOf(index);
    const mark = (get(counters, taskCounters.heartbeat) + (i32[(areaOf(index) + AREA_CLOCK) >> 2] as number)) | 0;
    const seen = this.#seen.get(index);
    const busy = get(counters, taskCounters.running) !== 0 && get(counters, taskCounters.asleep) === 0;
    if (seen === undefined || seen.mark !== mark || !busy) {
      this.#seen.set(index, { mark, since: now, looks: 0, waiting: 0, locked: 0 });
      return 0;
    }
    const locked = isWaiting(index);
    seen.looks++;
    if (locked) seen.locked++;
    if (locked || (this.#paired && sleepsAtGate(index === PROCESS_TASK))) seen.waiting++;
    return now - seen.since;
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
