/** A task leaves its address space (kernel/exit.c, Linux 6.1). */
import { get, set } from '../machine/door.ts';
import { NULL } from '../machine/layout.ts';
import { mmput } from './fork.ts';
import { mmap_read_lock, mmap_read_unlock } from './include/mmap_lock.ts';
import { task_lock, task_unlock } from './include/sched-task.ts';
import { current, PF_EXITING, task_struct } from './include/task_struct.ts';
import { exit_oom_victim } from './mm/oom_kill.ts';

/** The current task has no mm afterwards. May sleep: the last user tears the mm down. */
export function exit_mm(): void {
  const tsk = current();
  const mm = get(tsk, task_struct.mm);
  if (mm === NULL) return;
  mmap_read_lock(mm);
  task_lock();
  set(tsk, task_struct.mm, NULL);
  task_unlock();
  mmap_read_unlock(mm);
  mmput(mm);
  exit_oom_victim();
}

/** The current task ends. */
export function do_exit(): void {
  const tsk = current();
  set(tsk, task_struct.flags, get(tsk, task_struct.flags) | PF_EXITING);
  exit_mm();
}
