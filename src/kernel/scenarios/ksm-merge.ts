/**
 * Scenario `ksm-merge`: pages of two processes are merged, written, broken apart and unmapped at the same time, and no process may ever
 * see anything but what it wrote itself.
 *
 * | variant | before | tasks |
 * |---|---|---|
 * | write | all pages merged | both processes write to the same KSM page; ksmd scans |
 * | unmerge | all pages merged | the unmerge pass, one process writes, the other exits |
 * | merge | checksums known: the next scan merges | ksmd scans, one process exits, the other writes |
 * | fork | all pages merged | one process forks and its child writes, the unmerge pass, another thread of the parent writes |
 */
import { get, getUlong, set, setUlong } from '../../machine/door.ts';
import { NULL, type Ptr, pointer, struct, ulong } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { dup_mm, mm_alloc, mmput } from '../fork.ts';
import { PAGE_SIZE, VM_READ, VM_WRITE } from '../include/mm_types.ts';
import { mutex_lock, mutex_unlock } from '../locking/mutex.ts';
import { MADV_MERGEABLE, run_store } from '../mm/ksm.ts';
import { checkKsm } from '../mm/ksm-check.ts';
import { ksm_do_scan } from '../mm/ksm-scan.ts';
import { KSM, KSM_RUN_STOP, ksm, ksm_thread_mutex } from '../mm/ksm-types.ts';
import { unmerge_and_remove_all_rmap_items } from '../mm/ksm-unmerge.ts';
import { set_ksm_variant } from '../mm/ksm-variants.ts';
import { do_madvise } from '../mm/madvise.ts';
import { vm_mmap } from '../mm/mmap.ts';
import { set_frame_limit } from '../mm/page_alloc.ts';
import { userLoadNumber, userStore } from '../mm/user-access.ts';
import type { Scenario, Workload } from './scenario.ts';

const BASE = 0x7f0000000000;
const CONTENT = 1009;
const WRITTEN = [2003, 3001] as const;
const WHOLE_SCAN = 1000;

const ksm_merge_stage = struct('ksm_merge_stage', {
  first: pointer('mm_struct'),
  second: pointer('mm_struct'),
  /** What stands in their first pages; without a frame a write changes nothing. */
  first_content: ulong,
  second_content: ulong,
  /** What the first process forked. */
  child: pointer('mm_struct'),
  child_content: ulong,
});
const stage = staticStorage('ksm_merge_stage', ksm_merge_stage.SIZE).address as Ptr<'ksm_merge_stage'>;

function writeFirstTask(): void {
  const fault = userStore(get(stage, ksm_merge_stage.first), BASE, WRITTEN[0]);
  if (fault === 0) setUlong(stage, ksm_merge_stage.first_content, WRITTEN[0]);
}

function writeSecondTask(): void {
  const fault = userStore(get(stage, ksm_merge_stage.second), BASE, WRITTEN[1]);
  if (fault === 0) setUlong(stage, ksm_merge_stage.second_content, WRITTEN[1]);
}

/** The child writes to its second page, which leaves the parent's alone. */
function forkFirstTask(): void {
  const child = dup_mm(get(stage, ksm_merge_stage.first));
  set(stage, ksm_merge_stage.child, child);
  const fault = userStore(child, BASE + PAGE_SIZE, WRITTEN[1]);
  if (fault === 0) setUlong(stage, ksm_merge_stage.child_content, WRITTEN[1]);
}

function exitSecondTask(): void {
  const mm = get(stage, ksm_merge_stage.second);
  set(stage, ksm_merge_stage.second, NULL);
  mmput(mm);
}

function scan(): void {
  mutex_lock(ksm_thread_mutex);
  ksm_do_scan(WHOLE_SCAN);
  mutex_unlock(ksm_thread_mutex);
}

function ksmdTask(): void {
  scan();
}

function unmergeTask(): void {
  run_store('2');
}

const TASKS: Readonly<Record<string, readonly { name: string; run: () => void }[]>> = {
  write: [
    { name: 'first', run: writeFirstTask },
    { name: 'second', run: writeSecondTask },
    { name: 'ksmd', run: ksmdTask },
  ],
  unmerge: [
    { name: 'scanner', run: unmergeTask },
    { name: 'first', run: writeFirstTask },
    { name: 'exit', run: exitSecondTask },
  ],
  merge: [
    { name: 'ksmd', run: ksmdTask },
    { name: 'exit', run: exitSecondTask },
    { name: 'first', run: writeFirstTask },
  ],
  fork: [
    { name: 'fork', run: forkFirstTask },
    { name: 'scanner', run: unmergeTask },
    { name: 'first', run: writeFirstTask },
  ],
};

function pagesOf(workload: Workload): number {
  return Math.max(workload.variant === 'fork' ? 2 : 1, workload.pages);
}

/** A process whose pages all hold the same. */
function makeProcess(pages: number): Ptr<'mm_struct'> {
  const mm = mm_alloc();
  vm_mmap(mm, BASE, pages * PAGE_SIZE, VM_READ | VM_WRITE);
  for (let n = 0; n < pages; n++) userStore(mm, BASE + n * PAGE_SIZE, CONTENT);
  do_madvise(mm, BASE, pages * PAGE_SIZE, MADV_MERGEABLE);
  return mm;
}

function setUp(workload: Workload): void {
  set_ksm_variant('fixed');
  set(ksm, KSM.run, KSM_RUN_STOP);
  set(stage, ksm_merge_stage.first, makeProcess(pagesOf(workload)));
  set(stage, ksm_merge_stage.second, makeProcess(pagesOf(workload)));
  setUlong(stage, ksm_merge_stage.first_content, CONTENT);
  setUlong(stage, ksm_merge_stage.second_content, CONTENT);
  set(stage, ksm_merge_stage.child, NULL);
  setUlong(stage, ksm_merge_stage.child_content, CONTENT);
  // The first scan takes checksums, the second merges.
  for (let n = workload.variant === 'merge' ? 1 : 2; n > 0; n--) scan();
  set_frame_limit(workload.frames ?? 0);
}

/** Does the process see what it wrote, and else what it began with? */
function contentOk(mm: Ptr<'mm_struct'>, workload: Workload, written: number): boolean {
  if (mm === NULL) return true;
  for (let n = 0; n < pagesOf(workload); n++) {
    if (userLoadNumber(mm, BASE + n * PAGE_SIZE) !== (n === 0 ? written : CONTENT)) return false;
  }
  return true;
}

/** The child has its own second page, and of the first what the parent had at one moment of the fork. */
function childOk(): boolean {
  const child = get(stage, ksm_merge_stage.child);
  if (child === NULL) return true;
  const inherited = userLoadNumber(child, BASE);
  const known = inherited === CONTENT || inherited === getUlong(stage, ksm_merge_stage.first_content);
  return known && userLoadNumber(child, BASE + PAGE_SIZE) === getUlong(stage, ksm_merge_stage.child_content);
}

function check(workload: Workload): readonly string[] {
  const wrong = checkKsm();
  const first = contentOk(get(stage, ksm_merge_stage.first), workload, getUlong(stage, ksm_merge_stage.first_content));
  const second = contentOk(get(stage, ksm_merge_stage.second), workload, getUlong(stage, ksm_merge_stage.second_content));
  if (!first || !second || !childOk()) wrong.push('a process sees content that it did not write');
  return wrong;
}

function tearDown(): void {
  set_frame_limit(0);
  mmput(get(stage, ksm_merge_stage.first));
  if (get(stage, ksm_merge_stage.child) !== NULL) mmput(get(stage, ksm_merge_stage.child));
  if (get(stage, ksm_merge_stage.second) !== NULL) mmput(get(stage, ksm_merge_stage.second));
  mutex_lock(ksm_thread_mutex);
  unmerge_and_remove_all_rmap_items();
  mutex_unlock(ksm_thread_mutex);
  set(ksm, KSM.run, KSM_RUN_STOP);
}

export const ksmMerge: Scenario = {
  name: 'ksm-merge',
  summary: 'merged pages are written, broken apart, scanned and unmapped at the same time',
  variants: ['write', 'unmerge', 'merge', 'fork'],
  taskLimits: [2, 3],
  defaults: { vmas: 1, pages: 1, processes: 0, scanned: true },
  limitsFrames: true,
  tasks: (workload) => (TASKS[workload.variant] ?? []).slice(0, workload.tasks),
  setUp,
  check,
  tearDown,
};
