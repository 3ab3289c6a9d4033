/** Breaking shared pages apart again (mm/ksm.c, Linux 6.1): a write fault that nobody asked for. */
import { get, set } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { ENOMEM, ERESTARTSYS } from '../include/errno.ts';
import { PAGE_SIZE, vm_area_struct } from '../include/mm_types.ts';
import { mmap_read_lock, mmap_read_unlock } from '../include/mmap_lock.ts';
import { PageKsm } from '../include/page-flags.ts';
import { ksm_test_exit } from '../include/sched-mm.ts';
import { current, task_struct } from '../include/task_struct.ts';
import { trace_anon_vma_put } from '../trace/trace-merge.ts';
import { follow_page } from './gup.ts';
import { ksm_rmap_item } from './ksm-types.ts';
import { find_mergeable_vma, rmap_item_address } from './ksm-unstable-tree.ts';
import { handle_mm_fault, VM_FAULT_ERROR, VM_FAULT_OOM, VM_FAULT_WRITE } from './memory.ts';
import { put_page } from './page_alloc.ts';
import { put_anon_vma } from './rmap.ts';

type Vma = Ptr<'vm_area_struct'>;

/**
 * Gives the mm a page of its own where a KSM page is mapped at `addr`. Repeated until it is so, because a fault backs out when
 * something changed meanwhile. Must hold mmap_lock. May sleep.
 * @returns 0, or -ENOMEM when there is no frame
 */
function break_ksm(vma: Vma, addr: number): number {
  for (;;) {
    const p = follow_page(vma, addr);
    if (p === NULL) return 0;
    let fault = VM_FAULT_WRITE;
    if (PageKsm(p)) fault = handle_mm_fault(vma, addr, true);
    put_page(p);
    if ((fault & VM_FAULT_OOM) !== 0) return -ENOMEM;
    if ((fault & (VM_FAULT_WRITE | VM_FAULT_ERROR)) !== 0) return 0;
  }
}

/** Takes back that the page of an item was made a KSM page: its anon_vma reference goes, and the mm gets a page of its own. May sleep. */
export function break_cow(item: Ptr<'ksm_rmap_item'>): void {
  const mm = get(item, ksm_rmap_item.mm);
  const addr = rmap_item_address(item);
  const av = get(item, ksm_rmap_item.anon_vma);
  set(item, ksm_rmap_item.anon_vma, NULL);
  trace_anon_vma_put(av, put_anon_vma(av));
  mmap_read_lock(mm);
  const vma = find_mergeable_vma(mm, addr);
  if (vma !== NULL) break_ksm(vma, addr);
  mmap_read_unlock(mm);
}

/**
 * Breaks all shared pages of `start`..`end`. Must hold mmap_lock. Stops quietly when the mm is exiting.
 * @returns 0, -ERESTARTSYS on a pending signal, -ENOMEM
 */
export function unmerge_ksm_pages(vma: Vma, start: number, end: number): number {
  let error = 0;
  for (let addr = start; addr < end && error === 0; addr += PAGE_SIZE) {
    if (ksm_test_exit(get(vma, vm_area_struct.vm_mm))) break;
    if (get(current(), task_struct.signal_pending) !== 0) error = -ERESTARTSYS;
    else error = break_ksm(vma, addr);
  }
  return error;
}
