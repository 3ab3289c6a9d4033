/** The processes that the overhead lab measures. Runs in its threads. */

import { mm_alloc, mmput } from '../../kernel/fork.ts';
import { PAGE_SIZE, VM_READ, VM_WRITE } from '../../kernel/include/mm_types.ts';
import { mutex_lock, mutex_unlock } from '../../kernel/locking/mutex.ts';
import { MADV_MERGEABLE, MADV_UNMERGEABLE } from '../../kernel/mm/ksm.ts';
import { ksm_do_scan } from '../../kernel/mm/ksm-scan.ts';
import { ksm_thread_mutex } from '../../kernel/mm/ksm-types.ts';
import { unmerge_and_remove_all_rmap_items } from '../../kernel/mm/ksm-unmerge.ts';
import { do_madvise } from '../../kernel/mm/madvise.ts';
import { do_user_addr_fault } from '../../kernel/mm/memory.ts';
import { vm_mmap } from '../../kernel/mm/mmap.ts';
import type { Ptr } from '../../machine/layout.ts';

const BASE = 0x7f0000000000;
/** Areas of one page with a page between them, so that they stay apart. */
const STRIDE = 2 * PAGE_SIZE;

/**
 * A process with `vmas` areas of one touched page each, known to KSM.
 * @param mergeable  false: KSM knows the process, but none of its areas is mergeable any more
 */
export function makeProcess(vmas: number, mergeable: boolean): Ptr<'mm_struct'> {
  const mm = mm_alloc();
  for (let i = 0; i < vmas; i++) {
    const start = BASE + i * STRIDE;
    vm_mmap(mm, start, PAGE_SIZE, VM_READ | VM_WRITE);
    do_user_addr_fault(mm, start, i + 1);
    do_madvise(mm, start, PAGE_SIZE, MADV_MERGEABLE);
    if (!mergeable) do_madvise(mm, start, PAGE_SIZE, MADV_UNMERGEABLE);
  }
  return mm;
}

/** One pass, as a write of 2 to the run file makes it, without the parsing. */
export function unmergePass(): void {
  mutex_lock(ksm_thread_mutex);
  unmerge_and_remove_all_rmap_items();
  mutex_unlock(ksm_thread_mutex);
}

/** What ksmd does between two sleeps. */
export function scanPages(pages: number): void {
  mutex_lock(ksm_thread_mutex);
  ksm_do_scan(pages);
  mutex_unlock(ksm_thread_mutex);
}

/** Ends a process and lets a pass sweep up whatever KSM still knows of it. */
export function dropProcess(mm: Ptr<'mm_struct'>): void {
  mmput(mm);
  unmergePass();
}
