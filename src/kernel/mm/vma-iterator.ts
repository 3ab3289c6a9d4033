/**
 * The VMAs of an address space by address (include/linux/mm.h, mm/mmap.c, Linux 6.1): a maple tree cursor over `mm->mm_mt`,
 * whose entries are the VMAs. Linux wraps the cursor in `struct vma_iterator`; here a VMA iterator is the cursor. Its loop, written out:
 *
 * ```
 *   const vmi = vma_iter_init(mm, 0);                                            VMA_ITERATOR(vmi, mm, 0)
 *   for (let vma = vma_next(vmi); vma !== NULL; vma = vma_next(vmi)) ...         for_each_vma(vmi, vma)
 * ```
 *
 * mmap_lock must be held, for read at least.
 */
import { addressOf } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { mm_struct, ULONG_MAX } from '../include/mm_types.ts';
import { mas_find, mas_prev } from '../lib/maple-tree/iterate.ts';
import { MA_STATE, type ma_state } from '../lib/maple-tree/state.ts';

/** An iterator at `address`. Takes no lock and looks at nothing. @inline */
export function vma_iter_init(mm: Ptr<'mm_struct'>, address: number): ma_state {
  return MA_STATE(addressOf(mm, mm_struct.mm_mt), address, address);
}

/** The next VMA that begins at or below `max`; the first time, the one at the iterator's address if there is one. @inline */
export function vma_find(vmi: ma_state, max: number): Ptr<'vm_area_struct'> {
  return mas_find(vmi, max) as Ptr<'vm_area_struct'>;
}

/** The next VMA; the first time, the one at the iterator's address if there is one. NULL at the end. @inline */
export function vma_next(vmi: ma_state): Ptr<'vm_area_struct'> {
  return mas_find(vmi, ULONG_MAX) as Ptr<'vm_area_struct'>;
}

/** The VMA before the iterator, or NULL. @inline */
export function vma_prev(vmi: ma_state): Ptr<'vm_area_struct'> {
  return mas_prev(vmi, 0) as Ptr<'vm_area_struct'>;
}

/** The first VMA that ends above `addr`: the one that holds it, or the next. NULL if there is none. @inline */
export function find_vma(mm: Ptr<'mm_struct'>, addr: number): Ptr<'vm_area_struct'> {
  return mas_find(vma_iter_init(mm, addr), ULONG_MAX) as Ptr<'vm_area_struct'>;
}

/** The first VMA that has an address in `start_addr`..`end_addr - 1`, or NULL. @inline */
export function find_vma_intersection(mm: Ptr<'mm_struct'>, start_addr: number, end_addr: number): Ptr<'vm_area_struct'> {
  return mas_find(vma_iter_init(mm, start_addr), end_addr - 1) as Ptr<'vm_area_struct'>;
}
