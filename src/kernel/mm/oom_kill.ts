/**
 * Out of memory: somebody is chosen and killed (mm/oom_kill.c, Linux 6.1). The victim notices its signal, exits by itself, and its
 * frames come back with `exit_mmap`. Left out: the reaper thread, scores set by hand, control groups.
 */
import { get, READ_ONCE, WRITE_ONCE } from '../../machine/door.ts';
import { NULL, type Ptr, pointer, struct } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { MAX_TASKS } from '../../machine/task-area.ts';
import { mm_struct } from '../include/mm_types.ts';
import { current, PF_EXITING, PF_KTHREAD, PF_OOM_ORIGIN, task_struct, taskOf } from '../include/task_struct.ts';
import { DEFINE_MUTEX, mutex_trylock, mutex_unlock } from '../locking/mutex.ts';
import { trace_mark_victim } from '../trace/trace-merge.ts';
import { announce_relief } from './page_alloc.ts';

type Task = Ptr<'task_struct'>;

/** Only one task at a time chooses. */
const oom_lock = DEFINE_MUTEX('oom_lock');
const oom_state = struct('oom_state', {
  /** The task that was killed and has not left its mm yet. Written under oom_lock or by the victim. */
  victim: pointer('task_struct'),
});
const oom = staticStorage('oom_state', oom_state.SIZE).address as Ptr<'oom_state'>;

/** More than any number of frames: a task that said it would be the origin of the shortage. */
const WORST = Number.MAX_SAFE_INTEGER;

/** How much is gained by killing the task; 0: it can't be killed. */
function oom_badness(task: Task): number {
  const mm = READ_ONCE(task, task_struct.mm);
  const flags = READ_ONCE(task, task_struct.flags);
  if (mm === NULL || (flags & (PF_KTHREAD | PF_EXITING)) !== 0) return 0;
  return (flags & PF_OOM_ORIGIN) !== 0 ? WORST : 1 + READ_ONCE(mm, mm_struct.rss);
}

function select_bad_process(): Task {
  let chosen: Task = NULL;
  let points = 0;
  for (let i = 0; i < MAX_TASKS; i++) {
    const task = taskOf(i);
    const badness = oom_badness(task);
    if (badness <= points) continue;
    points = badness;
    chosen = task;
  }
  return chosen;
}

/** The task may use what is left, and will not wait for memory any more. @inline */
function mark_oom_victim(task: Task): void {
  WRITE_ONCE(oom, oom_state.victim, task);
  WRITE_ONCE(task, task_struct.oom_victim, 1);
  WRITE_ONCE(task, task_struct.signal_pending, 1);
  trace_mark_victim(READ_ONCE(task, task_struct.mm));
}

/**
 * Makes sure that somebody is on the way out.
 * @returns false when there is nobody to kill
 */
export function out_of_memory(): boolean {
  // Whoever holds it is choosing already.
  if (!mutex_trylock(oom_lock)) return true;
  let someone = READ_ONCE(oom, oom_state.victim) !== NULL;
  if (!someone) {
    const victim = select_bad_process();
    someone = victim !== NULL;
    if (someone) mark_oom_victim(victim);
  }
  mutex_unlock(oom_lock);
  return someone;
}

/** The current task has left its mm: if it was the victim, others may look for memory, or for another victim. */
export function exit_oom_victim(): void {
  const curr = current();
  if (get(curr, task_struct.oom_victim) === 0) return;
  WRITE_ONCE(curr, task_struct.oom_victim, 0);
  if (READ_ONCE(oom, oom_state.victim) === curr) WRITE_ONCE(oom, oom_state.victim, NULL);
  announce_relief();
}
