/**
 * Wait queues (kernel/sched/wait.c, Linux 6.1), as far as kernel threads need them: sleep until woken or a timeout.
 *
 * `seq` counts wake-ups. A sleeper reads it, checks its condition, then waits for it to change: a wake-up in between is
 * seen. @notrace
 */
import { get } from '../../machine/door.ts';
import { type Ptr, struct, word } from '../../machine/layout.ts';
import { addWord, loadWord } from '../../machine/lockword.ts';
import { staticStorage } from '../../machine/memory.ts';
import { sleepWhile, wakeWord } from '../../machine/wait.ts';

export const wait_queue_head = struct('wait_queue_head', {
  /** Wake-ups so far. */
  seq: word,
  /** Tasks that sleep or are about to. */
  sleepers: word,
});

export function DECLARE_WAIT_QUEUE_HEAD(name: string): Ptr<'wait_queue_head'> {
  return staticStorage(name, wait_queue_head.SIZE).address as Ptr<'wait_queue_head'>;
}

/** Announces the current task as a sleeper; gives what {@link wait_queue_sleep} needs. Check the condition after it. */
export function prepare_to_wait(head: Ptr<'wait_queue_head'>): number {
  addWord(head, wait_queue_head.sleepers, 1);
  return loadWord(head, wait_queue_head.seq);
}

/** Takes the announcement back. */
export function finish_wait(head: Ptr<'wait_queue_head'>): void {
  addWord(head, wait_queue_head.sleepers, -1);
}

/** Sleeps until the next wake-up after `seen`, at most `ms`; true when woken. */
export function schedule_timeout(head: Ptr<'wait_queue_head'>, seen: number, ms: number): boolean {
  return sleepWhile(head, wait_queue_head.seq, seen, ms);
}

/** Wakes all sleepers. Pairs with the load in prepare_to_wait: the count of sleepers is raised before `seq` is read. */
export function wake_up_interruptible(head: Ptr<'wait_queue_head'>): void {
  addWord(head, wait_queue_head.seq, 1);
  if (loadWord(head, wait_queue_head.sleepers) > 0) wakeWord(head, wait_queue_head.seq);
}

/** Is anybody asleep on it? A racy look. */
export function waitqueue_active(head: Ptr<'wait_queue_head'>): boolean {
  return get(head, wait_queue_head.sleepers) > 0;
}
