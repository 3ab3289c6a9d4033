/** mprotect(2) for anonymous areas (mm/mprotect.c, Linux 6.1). */
import { get, getUlong, set } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { EINVAL, ENOMEM } from '../include/errno.ts';
import { offset_in_page, PAGE_SIZE, VM_EXEC, VM_READ, VM_WRITE, vm_area_struct } from '../include/mm_types.ts';
import { mmap_write_lock, mmap_write_unlock } from '../include/mmap_lock.ts';
import { vma_merge } from './mmap.ts';
import { next_present, pte_lock, pte_lookup, pte_unlock, pte_wrprotect, set_pte_at } from './pgtable.ts';
import { split_vma, vma_lookup } from './vma.ts';

const PROTECTION = VM_READ | VM_WRITE | VM_EXEC;

/** Pages of the range can't be written any more without a fault. Must hold mmap_lock for write. */
function change_pte_range(mm: Ptr<'mm_struct'>, start: number, end: number): void {
  pte_lock(mm);
  for (let at = next_present(mm, start, end); at < end; at = next_present(mm, at + PAGE_SIZE, end)) {
    set_pte_at(mm, at, pte_wrprotect(pte_lookup(mm, at)));
  }
  pte_unlock(mm);
}

/**
 * Changes what may be done with `start`..`start + len`.
 * @param protection  VM_READ, VM_WRITE, VM_EXEC
 * @returns 0, -EINVAL, or -ENOMEM when part of the range is not mapped (what was before it is changed)
 */
export function do_mprotect(mm: Ptr<'mm_struct'>, start: number, len: number, protection: number): number {
  if (offset_in_page(start) !== 0 || len <= 0 || offset_in_page(len) !== 0 || (protection & ~PROTECTION) !== 0) return -EINVAL;
  const end = start + len;
  let error = 0;
  mmap_write_lock(mm);
  for (let at = start; at < end; ) {
    let vma = vma_lookup(mm, at);
    if (vma === NULL) {
      error = -ENOMEM;
      break;
    }
    if (getUlong(vma, vm_area_struct.vm_start) < at) vma = split_vma(vma, at);
    if (getUlong(vma, vm_area_struct.vm_end) > end) split_vma(vma, end);
    const stop = getUlong(vma, vm_area_struct.vm_end);
    set(vma, vm_area_struct.vm_flags, (get(vma, vm_area_struct.vm_flags) & ~PROTECTION) | protection);
    if ((protection & VM_WRITE) === 0) change_pte_range(mm, at, stop);
    vma_merge(vma);
    at = stop;
  }
  mmap_write_unlock(mm);
  return error;
}
