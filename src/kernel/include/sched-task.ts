/**
 * `task_lock` (include/linux/sched/task.h, Linux 6.1): while it is held the task keeps its mm, and through it the struct lives. One
 * lock stands for those of all tasks, because nobody holds two of them. @notrace
 */
import { DEFINE_SPINLOCK, spin_lock, spin_unlock } from '../locking/spinlock.ts';

const alloc_lock = DEFINE_SPINLOCK('&p->alloc_lock');

export function task_lock(): void {
  spin_lock(alloc_lock);
}

export function task_unlock(): void {
  spin_unlock(alloc_lock);
}
