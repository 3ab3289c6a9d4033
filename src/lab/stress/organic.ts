/**
 * The organic shape, like the reproducer on the real kernel: processes that fork, map, madvise, touch, live a while and
 * exit, ksmd at its defaults, and a toggler that writes `run` in turns.
 *
 * On the real kernel (docs/fidelity.md) a cycle of fork to exit takes some 10 ms, of which KSM knows the process for about a
 * quarter: a pass finds one live process of four. The emulated kernel does its part of the cycle in a fraction of that, so
 * the task sleeps for the rest: `life` after the last page, `rest` after the exit, both exponentially spread. All else
 * comes of itself: ksmd scans a batch when `run` turns to 1, what it scanned dies before the toggler comes back, and its
 * slots wait there.
 */

import { exit_mm } from '../../kernel/exit.ts';
import { dup_mm, mm_alloc, mmput } from '../../kernel/fork.ts';
import { PAGE_SIZE, VM_READ, VM_WRITE } from '../../kernel/include/mm_types.ts';
import { current, task_struct } from '../../kernel/include/task_struct.ts';
import { run_store } from '../../kernel/mm/ksm.ts';
import { ksm_scan_thread } from '../../kernel/mm/ksm-scan.ts';
import { do_user_addr_fault } from '../../kernel/mm/memory.ts';
import { vm_mmap } from '../../kernel/mm/mmap.ts';
import { get, set } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { type Random, seededRandom } from '../stats/random.ts';
import { count, taskCounters } from './counters.ts';
import type { WorldOrder } from './orders.ts';
import { type Areas, mapAndTouch, spread } from './process.ts';
import { beginRound, pause, STAGE_END, STAGE_FINISH, STAGE_READY, STAGE_RUN, stage } from './run-state.ts';

type Counters = Ptr<'lab_task_counters'>;
type Mm = Ptr<'mm_struct'>;

/** Where the parent has its own page: below what children map. */
const PARENT_PAGE = 0x400000;

/** An exponentially distributed time. */
export function spreadTime(mean: number, random: Random): number {
  return -Math.log(1 - random()) * mean;
}

/** A process to fork from, with a page of its own that KSM does not know. */
export function newParent(content: number): Mm {
  const parent = mm_alloc();
  vm_mmap(parent, PARENT_PAGE, PAGE_SIZE, VM_READ | VM_WRITE);
  do_user_addr_fault(parent, PARENT_PAGE, content);
  return parent;
}

/** From the fork to the last page: the current task is the child then, and `exit_mm` ends it. */
export function beginLife(parent: Mm, areas: Areas, life: number): void {
  const child = dup_mm(parent);
  set(current(), task_struct.mm, child);
  // The thread may have played one that was killed.
  set(current(), task_struct.signal_pending, 0);
  do_user_addr_fault(child, PARENT_PAGE, life);
  mapAndTouch(child, areas, life);
}

/** A parent that forks one child after the other; this thread then plays the child. */
export function runForker(order: WorldOrder, counters: Counters, index: number): void {
  const random = seededRandom(order.seed ^ Math.imul(index, 0x9e3779b1));
  const areas = spread(order.vmas, order.pages, order.pageBytes);
  const parent = newParent(index);
  while (stage() === STAGE_READY) pause(counters, 1000, STAGE_READY);
  for (let life = 0; stage() === STAGE_RUN && beginRound(order.trials); life++) {
    beginLife(parent, areas, life);
    if (get(current(), task_struct.signal_pending) === 0) pause(counters, spreadTime(order.life, random), STAGE_RUN);
    exit_mm();
    count(counters, taskCounters.trials);
    pause(counters, spreadTime(order.rest, random), STAGE_RUN);
  }
  mmput(parent);
}

/** Writes `run` in turns; after the last process one more pass takes what they left. */
export function runToggler(order: WorldOrder, counters: Counters): void {
  run_store('0');
  while (stage() === STAGE_READY) pause(counters, 1000, STAGE_READY);
  while (stage() === STAGE_RUN) {
    for (const step of order.toggle) {
      if (stage() !== STAGE_RUN) break;
      run_store(String(step.value));
      pause(counters, step.ms, STAGE_RUN);
    }
  }
  while (stage() === STAGE_FINISH) pause(counters, 1000, STAGE_FINISH);
  run_store('0');
  run_store('2');
  run_store('0');
}

/** ksmd, until all waits are stopped. */
export function runKsmd(): void {
  if (stage() !== STAGE_END) ksm_scan_thread(Number.POSITIVE_INFINITY);
}
