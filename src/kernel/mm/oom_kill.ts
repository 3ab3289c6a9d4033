/**
 * Out of memory: somebody is chosen and killed (mm/oom_kill.c, Linux 6.1). The victim notices its signal, exits by itself, and its
 * frames come back with `exit_mmap`. Left out: scores set by hand, control groups.
 *
 * A victim can be stuck behind a lock that the task which waits for memory holds. Therefore somebody else takes its pages away
 * meanwhile, and gives it up if that is not possible either, so that another one is chosen. Linux has a thread for it, the OOM
 * reaper; here the task that waits does it.
 */
import { get, getUlong, READ_ONCE, set, set_bit, test_bit, WRITE_ONCE } from '../../machine/door.ts';
import { NULL, type Ptr, pointer, struct, word } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { MAX_TASKS } from '../../machine/task-area.ts';
import { mmdrop } from '../fork.ts';
import { MMF_OOM_SKIP, mm_struct, vm_area_struct } from '../include/mm_types.ts';
import { mmap_read_trylock, mmap_read_unlock } from '../include/mmap_lock.ts';
import { mmgrab } from '../include/sched-mm.ts';
import { task_lock, task_unlock } from '../include/sched-task.ts';
import { current, PF_EXITING, PF_KTHREAD, PF_OOM_ORIGIN, task_struct, taskOf } from '../include/task_struct.ts';
import { DEFINE_MUTEX, mutex_lock, mutex_unlock } from '../locking/mutex.ts';
import { trace_mark_victim } from '../trace/trace-merge.ts';
import { zap_pte_range } from './memory-range.ts';
import { announce_relief } from './page_alloc.ts';
import { vma_iter_init, vma_next } from './vma-iterator.ts';

type Task = Ptr<'task_struct'>;

/** Only one task at a time chooses. */
const oom_lock = DEFINE_MUTEX('oom_lock');
const oom_state = struct('oom_state', {
  /** The task that was killed and has not left its mm yet. Protected by oom_lock. */
  victim: pointer('task_struct'),
  /** Its mm, with a reference. Protected by oom_lock. */
  mm: pointer('mm_struct'),
  /** 1: kernels before 4.6, which have no reaper. Written while no task runs. */
  no_reaper: word,
});
const oom = staticStorage('oom_state', oom_state.SIZE).address as Ptr<'oom_state'>;

/** More than any number of frames: a task that said it would be the origin of the shortage. */
const WORST = Number.MAX_SAFE_INTEGER;

/** {@link oom_badness} under the task's lock, so that its mm stays. @inline */
function badness_of(task: Task): number {
  const mm = READ_ONCE(task, task_struct.mm);
  const flags = READ_ONCE(task, task_struct.flags);
  if (mm === NULL || (flags & (PF_KTHREAD | PF_EXITING)) !== 0) return 0;
  if (test_bit(MMF_OOM_SKIP, mm, mm_struct.flags)) return 0;
  return (flags & PF_OOM_ORIGIN) !== 0 ? WORST : 1 + READ_ONCE(mm, mm_struct.rss);
}

/** How much is gained by killing the task; 0: it can't be killed. */
function oom_badness(task: Task): number {
  if (READ_ONCE(task, task_struct.mm) === NULL) return 0;
  task_lock();
  const points = badness_of(task);
  task_unlock();
  return points;
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

/** The task is to end, and will not wait for memory any more; if it ends by itself already, there is nothing to do. @inline */
function mark_oom_victim(task: Task): void {
  task_lock();
  const mm = READ_ONCE(task, task_struct.mm);
  if (mm !== NULL) {
    mmgrab(mm);
    set(oom, oom_state.victim, task);
    set(oom, oom_state.mm, mm);
    WRITE_ONCE(task, task_struct.oom_victim, 1);
    WRITE_ONCE(task, task_struct.signal_pending, 1);
    trace_mark_victim(mm);
  }
  task_unlock();
}

/**
 * Takes the pages of the victim away while it is on its way out, or gives it up when its mmap_lock can't be had; either way it is the
 * victim no more. Must hold oom_lock.
 * @returns whether its pages were taken
 */
function oom_reap_task(): boolean {
  const mm = get(oom, oom_state.mm);
  set(oom, oom_state.mm, NULL);
  set(oom, oom_state.victim, NULL);
  const reaped = mmap_read_trylock(mm);
  if (reaped) {
    // With MMF_OOM_SKIP set, exit_mmap has unmapped the pages already, and may have freed the areas.
    if (!test_bit(MMF_OOM_SKIP, mm, mm_struct.flags)) reap_pages(mm);
    mmap_read_unlock(mm);
  }
  set_bit(MMF_OOM_SKIP, mm, mm_struct.flags);
  mmdrop(mm);
  return reaped;
}

/** @inline */
function reap_pages(mm: Ptr<'mm_struct'>): void {
  const vmi = vma_iter_init(mm, 0);
  for (let vma = vma_next(vmi); vma !== NULL; vma = vma_next(vmi)) {
    zap_pte_range(mm, getUlong(vma, vm_area_struct.vm_start), getUlong(vma, vm_area_struct.vm_end));
  }
}

/**
 * Makes sure that somebody is on the way out, and with a reaper that his pages come.
 * @returns false when there is nobody to kill
 */
export function out_of_memory(): boolean {
  mutex_lock(oom_lock);
  let someone = get(oom, oom_state.victim) !== NULL;
  if (someone && get(oom, oom_state.no_reaper) === 0) someone = oom_reap_task();
  if (!someone) {
    const victim = select_bad_process();
    someone = victim !== NULL;
    if (someone) mark_oom_victim(victim);
  }
  mutex_unlock(oom_lock);
  return someone;
}

/** Must the one who needs a frame wait until the victim has ended? Not with a reaper: it takes the pages at once. */
export function oom_waits(): boolean {
  return get(oom, oom_state.no_reaper) !== 0;
}

/** Kernels before 4.6 have no reaper. Call it while no task runs. */
export function set_oom_reaper(on: boolean): void {
  set(oom, oom_state.no_reaper, on ? 0 : 1);
}

/** The current task has left its mm: if it was the victim, others may look for memory, or for another victim. */
export function exit_oom_victim(): void {
  const curr = current();
  if (get(curr, task_struct.oom_victim) === 0) return;
  WRITE_ONCE(curr, task_struct.oom_victim, 0);
  let mm: Ptr<'mm_struct'> = NULL;
  mutex_lock(oom_lock);
  if (get(oom, oom_state.victim) === curr) {
    mm = get(oom, oom_state.mm);
    set(oom, oom_state.victim, NULL);
    set(oom, oom_state.mm, NULL);
  }
  mutex_unlock(oom_lock);
  if (mm !== NULL) mmdrop(mm);
  announce_relief();
}
