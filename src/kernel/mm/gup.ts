/** Looking pages up by address (mm/gup.c, mm/memory.c, Linux 6.1). */
import { get } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { vm_area_struct } from '../include/mm_types.ts';
import { get_page } from './page_alloc.ts';
import { pte_lock, pte_lookup, pte_unlock, vm_normal_page } from './pgtable.ts';

/** The page mapped at `address` with a reference, or NULL; the page of zeros is nobody's and counts as none. Must hold mmap_lock. @inline */
export function follow_page(vma: Ptr<'vm_area_struct'>, address: number): Ptr<'page'> {
  const mm = get(vma, vm_area_struct.vm_mm);
  pte_lock(mm);
  const pte = pte_lookup(mm, address);
  const p = pte === 0 ? NULL : vm_normal_page(pte);
  if (p !== NULL) get_page(p);
  pte_unlock(mm);
  return p;
}
