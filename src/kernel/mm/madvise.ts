/** madvise(2), the advice that KSM takes (mm/madvise.c, Linux 6.1). */
import { get, getUlong, set } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { EINVAL, ENOMEM } from '../include/errno.ts';
import { offset_in_page, PAGE_SIZE, vm_area_struct } from '../include/mm_types.ts';
import { mmap_write_lock, mmap_write_unlock } from '../include/mmap_lock.ts';
import { ksm_madvise, MADV_MERGEABLE, MADV_UNMERGEABLE } from './ksm.ts';
import { vma_merge } from './mmap.ts';
import { split_vma } from './vma.ts';
import { find_vma } from './vma-iterator.ts';

type Mm = Ptr<'mm_struct'>;
type Vma = Ptr<'vm_area_struct'>;

/** Gives `start`..`end` of an area its new flags: cuts the area there if needed, then joins it with its neighbours. @inline */
function madvise_update_vma(vma: Vma, start: number, end: number, new_flags: number): void {
  if (get(vma, vm_area_struct.vm_flags) === new_flags) return;
  let part = vma;
  if (getUlong(part, vm_area_struct.vm_start) < start) part = split_vma(part, start);
  if (getUlong(part, vm_area_struct.vm_end) > end) split_vma(part, end);
  set(part, vm_area_struct.vm_flags, new_flags);
  vma_merge(part);
}

/** Must hold mmap_lock for write. Returns 0 or a negative errno. @inline */
function madvise_vma_behavior(vma: Vma, start: number, end: number, behavior: number): number {
  const new_flags = ksm_madvise(vma, start, end, behavior);
  if (new_flags < 0 && new_flags > -4096) return new_flags;
  madvise_update_vma(vma, start, end, new_flags);
  return 0;
}

/**
 * Advises on all areas in `start`..`start + len`.
 * @returns 0, -EINVAL (bad range or advice), -ENOMEM (a hole in the range; the rest was advised), or what KSM said
 */
export function do_madvise(mm: Mm, start: number, len: number, behavior: number): number {
  if (behavior !== MADV_MERGEABLE && behavior !== MADV_UNMERGEABLE) return -EINVAL;
  if (offset_in_page(start) !== 0 || len < 0) return -EINVAL;
  const end = start + Math.ceil(len / PAGE_SIZE) * PAGE_SIZE;
  if (end === start) return 0;
  mmap_write_lock(mm);
  let unmapped = 0;
  let error = 0;
  let at = start;
  while (at < end && error === 0) {
    const vma = find_vma(mm, at);
    if (vma === NULL || getUlong(vma, vm_area_struct.vm_start) >= end) {
      unmapped = -ENOMEM;
      break;
    }
    if (getUlong(vma, vm_area_struct.vm_start) > at) {
      unmapped = -ENOMEM;
      at = getUlong(vma, vm_area_struct.vm_start);
    }
    const stop = Math.min(end, getUlong(vma, vm_area_struct.vm_end));
    error = madvise_vma_behavior(vma, at, stop, behavior);
    at = stop;
  }
  mmap_write_unlock(mm);
  return error !== 0 ? error : unmapped;
}
