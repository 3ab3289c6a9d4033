/**
 * Scenario `ksm-exit`: the unmerge pass of KSM meets exiting processes.
 *
 * | tasks | who |
 * |---|---|
 * | 2 | `scanner` writes 2 to the run file, `exit` leaves its mm |
 * | 3 | and `ksmd`, one wake-up, with `run` at 1 before |
 * | 4 | and `exit2`, a second process |
 */
import { addressOf, get, set } from '../../machine/door.ts';
import { NULL, type Ptr, pointer, struct } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { liveObjects } from '../../machine/slab.ts';
import { mm_alloc, mmput } from '../fork.ts';
import { list_empty } from '../include/list.ts';
import { mm_struct, PAGE_SIZE, VM_READ, VM_WRITE } from '../include/mm_types.ts';
import { mutex_lock, mutex_unlock } from '../locking/mutex.ts';
import { MADV_MERGEABLE, run_store } from '../mm/ksm.ts';
import { ksm_do_scan, ksm_scan_thread } from '../mm/ksm-scan.ts';
import { KSM, KSM_RUN_MERGE, KSM_RUN_STOP, ksm, ksm_mm_head, ksm_mm_slot, ksm_thread_mutex } from '../mm/ksm-types.ts';
import { unmerge_and_remove_all_rmap_items } from '../mm/ksm-unmerge.ts';
import { KSM_VARIANTS, type KsmVariant, set_ksm_variant } from '../mm/ksm-variants.ts';
import { do_madvise } from '../mm/madvise.ts';
import { do_user_addr_fault } from '../mm/memory.ts';
import { vm_mmap } from '../mm/mmap.ts';
import { set_frame_limit } from '../mm/page_alloc.ts';
import { KMEM_CACHE } from '../mm/slab.ts';
import type { Scenario, Workload } from './scenario.ts';

const BASE = 0x7f0000000000;

/** The processes of a trial. */
const ksm_exit_stage = struct('ksm_exit_stage', { first: pointer('mm_struct'), second: pointer('mm_struct') });
const stage = staticStorage('ksm_exit_stage', ksm_exit_stage.SIZE).address as Ptr<'ksm_exit_stage'>;
const mm_cachep = KMEM_CACHE(mm_struct);

/**
 * A process with `vmas` mergeable areas of `pages` touched pages each, one page apart so that they stay apart.
 * @returns its mm, with one user
 */
export function makeMergeableProcess(vmas: number, pages: number): Ptr<'mm_struct'> {
  const mm = mm_alloc();
  const stride = (pages + 1) * PAGE_SIZE;
  for (let i = 0; i < vmas; i++) {
    const start = BASE + i * stride;
    vm_mmap(mm, start, pages * PAGE_SIZE, VM_READ | VM_WRITE);
    for (let page = 0; page < pages; page++) do_user_addr_fault(mm, start + page * PAGE_SIZE, i * pages + page + 1);
    do_madvise(mm, start, pages * PAGE_SIZE, MADV_MERGEABLE);
  }
  return mm;
}

/** ksmd's full scan of everything that is mergeable: afterwards each page has its rmap_item. */
export function scanAll(pages: number): void {
  mutex_lock(ksm_thread_mutex);
  ksm_do_scan(pages + 1);
  mutex_unlock(ksm_thread_mutex);
}

/** @notrace */
function scannerTask(): void {
  run_store('2');
}

/** @notrace */
function exitTask(): void {
  mmput(get(stage, ksm_exit_stage.first));
}

/** @notrace */
function secondExitTask(): void {
  mmput(get(stage, ksm_exit_stage.second));
}

/** @notrace */
function ksmdTask(): void {
  ksm_scan_thread(1);
}

const SCANNER = { name: 'scanner', run: scannerTask };
const EXIT = { name: 'exit', run: exitTask };
const KSMD = { name: 'ksmd', run: ksmdTask };
const EXIT2 = { name: 'exit2', run: secondExitTask };

function setUp(workload: Workload): void {
  set_ksm_variant(workload.variant as KsmVariant);
  set(ksm, KSM.run, workload.tasks > 2 ? KSM_RUN_MERGE : KSM_RUN_STOP);
  set(stage, ksm_exit_stage.first, makeMergeableProcess(workload.vmas, workload.pages));
  set(stage, ksm_exit_stage.second, workload.tasks > 3 ? makeMergeableProcess(workload.vmas, workload.pages) : NULL);
  if (workload.scanned) scanAll(workload.vmas * workload.pages * (workload.tasks > 3 ? 2 : 1));
  set_frame_limit(workload.frames ?? 0);
}

function check(): string[] {
  const wrong: string[] = [];
  if (!list_empty(addressOf(ksm_mm_head, ksm_mm_slot.mm_list))) wrong.push('a slot is left on the list after all processes are gone');
  if (get(ksm, KSM.scan_mm_slot) !== ksm_mm_head) wrong.push('the cursor is left on a slot');
  if (liveObjects(mm_cachep) !== 0) wrong.push('an mm_struct is left after its last reference');
  return wrong;
}

function tearDown(): void {
  set_frame_limit(0);
  mutex_lock(ksm_thread_mutex);
  unmerge_and_remove_all_rmap_items();
  mutex_unlock(ksm_thread_mutex);
  set(ksm, KSM.run, KSM_RUN_STOP);
}

export const ksmExit: Scenario = {
  name: 'ksm-exit',
  summary: 'the unmerge pass of KSM iterates the areas of a process that exits',
  variants: KSM_VARIANTS,
  taskLimits: [2, 4],
  defaults: { vmas: 1, pages: 1, processes: 0, scanned: false },
  limitsFrames: true,
  tasks: (workload) => [SCANNER, EXIT, KSMD, EXIT2].slice(0, workload.tasks),
  setUp,
  check,
  tearDown,
};
