/**
 * Scenario `oom-2009`: memory runs out while merged pages are broken apart, and the process that they belong to is killed.
 *
 * ```
 * scanner (pre-fix)                           process (pre-fix)
 * mutex_lock(&ksm_thread_mutex)
 * down_read(&mm->mmap_sem)
 * break_ksm(): no frame is left:
 *  the process is killed
 *  waits for its frames
 *                                             exit_mm(), mmput()
 *                                              __ksm_exit(): mutex_lock(&ksm_thread_mutex)
 * ```
 *
 * No lock order is wrong here: the validator sees nothing, it is the memory that is waited for. Fixed by Linux 2.6.31 ("ksm: fix oom
 * deadlock"): exit does not need the mutex, and the writer of the `run` file is itself the first to be killed. See ksm-2009.ts.
 */
import { get, set } from '../../machine/door.ts';
import { NULL, type Ptr, pointer, struct } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { do_exit } from '../exit.ts';
import { mm_alloc, mmput } from '../fork.ts';
import { PAGE_SIZE, VM_READ, VM_WRITE } from '../include/mm_types.ts';
import { task_struct, taskOf } from '../include/task_struct.ts';
import { mutex_lock, mutex_unlock } from '../locking/mutex.ts';
import { MADV_MERGEABLE, run_store } from '../mm/ksm.ts';
import { do_exit_2009, run_store_2009 } from '../mm/ksm-2009.ts';
import { checkKsm } from '../mm/ksm-check.ts';
import { ksm_do_scan } from '../mm/ksm-scan.ts';
import { KSM, KSM_RUN_STOP, ksm, ksm_thread_mutex } from '../mm/ksm-types.ts';
import { unmerge_and_remove_all_rmap_items } from '../mm/ksm-unmerge.ts';
import { set_ksm_variant } from '../mm/ksm-variants.ts';
import { do_madvise } from '../mm/madvise.ts';
import { vm_mmap } from '../mm/mmap.ts';
import { set_oom_reaper } from '../mm/oom_kill.ts';
import { frames_in_use, set_frame_limit } from '../mm/page_alloc.ts';
import { userStore } from '../mm/user-access.ts';
import type { Scenario, Workload } from './scenario.ts';

const BASE = 0x7f0000000000;
const CONTENT = 1009;
const SCANNER_TASK = 0;
const PROCESS_TASK = 1;

const oom_2009_stage = struct('oom_2009_stage', { scanner_mm: pointer('mm_struct') });
const stage = staticStorage('oom_2009_stage', oom_2009_stage.SIZE).address as Ptr<'oom_2009_stage'>;

function scannerTask(workload: Workload): void {
  if (workload.variant === 'pre-fix') run_store_2009();
  else run_store('2');
}

/** Writes to one of its merged pages, which needs a frame too, and ends. */
function processTask(workload: Workload): void {
  const mm = get(taskOf(PROCESS_TASK), task_struct.mm);
  userStore(mm, BASE, CONTENT + 1);
  if (workload.variant === 'pre-fix') do_exit_2009();
  else do_exit();
}

const TASKS = [
  { name: 'scanner', run: scannerTask },
  { name: 'process', run: processTask },
];

/** A task with this mm, which nobody has killed. */
function makeTask(index: number, mm: Ptr<'mm_struct'>): void {
  const task = taskOf(index);
  set(task, task_struct.mm, mm);
  set(task, task_struct.flags, 0);
  set(task, task_struct.signal_pending, 0);
  set(task, task_struct.oom_victim, 0);
}

function setUp(workload: Workload): void {
  // Both kernels had or have a list or tree walk that stops for an exiting mm; the variants of the pass are another scenario.
  set_ksm_variant(workload.variant === 'pre-fix' ? 'linked-list' : 'fixed');
  set_oom_reaper(workload.variant !== 'pre-fix');
  set(ksm, KSM.run, KSM_RUN_STOP);
  const mm = mm_alloc();
  const bytes = Math.max(2, workload.pages) * PAGE_SIZE;
  vm_mmap(mm, BASE, bytes, VM_READ | VM_WRITE);
  for (let at = 0; at < bytes; at += PAGE_SIZE) userStore(mm, BASE + at, CONTENT);
  do_madvise(mm, BASE, bytes, MADV_MERGEABLE);
  mutex_lock(ksm_thread_mutex);
  // Checksums, then pairs.
  for (let scan = 0; scan < 2; scan++) ksm_do_scan(bytes / PAGE_SIZE + 1);
  mutex_unlock(ksm_thread_mutex);
  makeTask(PROCESS_TASK, mm);
  set(stage, oom_2009_stage.scanner_mm, mm_alloc());
  makeTask(SCANNER_TASK, get(stage, oom_2009_stage.scanner_mm));
  set_frame_limit(workload.frames ?? frames_in_use());
}

function check(): readonly string[] {
  const wrong = checkKsm();
  if (get(ksm, KSM.ksm_pages_shared) !== 0 && get(ksm, KSM.run) === 2) wrong.push('a pass that came through left shared pages');
  return wrong;
}

function tearDown(): void {
  makeTask(PROCESS_TASK, NULL);
  makeTask(SCANNER_TASK, NULL);
  set_frame_limit(0);
  mutex_lock(ksm_thread_mutex);
  unmerge_and_remove_all_rmap_items();
  mutex_unlock(ksm_thread_mutex);
  set(ksm, KSM.run, KSM_RUN_STOP);
  mmput(get(stage, oom_2009_stage.scanner_mm));
  set_oom_reaper(true);
}

export const oom2009: Scenario = {
  name: 'oom-2009',
  summary: 'memory runs out in the unmerge pass, and the process that is killed for it waits for the pass',
  variants: ['pre-fix', 'fixed'],
  taskLimits: [2, 2],
  defaults: { vmas: 1, pages: 2, processes: 0, scanned: true },
  limitsFrames: true,
  tasks: () => TASKS,
  setUp,
  check,
  tearDown,
};
