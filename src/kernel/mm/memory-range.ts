/** Whole ranges of pages: unmapping, freeing page tables, copying at fork (mm/memory.c, Linux 6.1), anonymous memory only. */
import { atomic_dec_return, atomic_inc_return, get, getUlong, set } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { mm_struct, PAGE_SIZE, page, VM_SHARED, vm_area_struct } from '../include/mm_types.ts';
import { get_page, put_page } from './page_alloc.ts';
import { free_pgd_range, next_present, pte_lock, pte_lookup, pte_unlock, pte_wrprotect, set_pte_at, vm_normal_page } from './pgtable.ts';
import { unlink_anon_vmas } from './rmap.ts';

type Mm = Ptr<'mm_struct'>;
type Vma = Ptr<'vm_area_struct'>;

/** Unmaps the pages of a range. Must hold mmap_lock. */
export function zap_pte_range(mm: Mm, start: number, end: number): void {
  pte_lock(mm);
  for (let address = next_present(mm, start, end); address < end; address = next_present(mm, address + PAGE_SIZE, end)) {
    const p = vm_normal_page(pte_lookup(mm, address));
    set_pte_at(mm, address, 0);
    if (p === NULL) continue;
    set(mm, mm_struct.rss, get(mm, mm_struct.rss) - 1);
    atomic_dec_return(p, page._mapcount);
    put_page(p);
  }
  pte_unlock(mm);
}

/** Unmaps all pages of all areas from `vma` on by the list. */
export function unmap_vmas(vma: Vma): void {
  for (let v = vma; v !== NULL; v = get(v, vm_area_struct.vm_next)) {
    zap_pte_range(get(v, vm_area_struct.vm_mm), getUlong(v, vm_area_struct.vm_start), getUlong(v, vm_area_struct.vm_end));
  }
}

/** Frees page tables and anon_vmas of all areas from `vma` on by the list. */
export function free_pgtables(vma: Vma): void {
  const mm = get(vma, vm_area_struct.vm_mm);
  for (let v = vma; v !== NULL; v = get(v, vm_area_struct.vm_next)) unlink_anon_vmas(v);
  free_pgd_range(mm);
}

/** Shares the pages of an area with a child, read-only in both unless the area is shared. Must hold both mmap_locks for write. */
export function copy_page_range(dst_vma: Vma, src_vma: Vma): void {
  const src = get(src_vma, vm_area_struct.vm_mm);
  const dst = get(dst_vma, vm_area_struct.vm_mm);
  const shared = (get(src_vma, vm_area_struct.vm_flags) & VM_SHARED) !== 0;
  const end = getUlong(src_vma, vm_area_struct.vm_end);
  let address = getUlong(src_vma, vm_area_struct.vm_start);
  for (;;) {
    pte_lock(src);
    address = next_present(src, address, end);
    let pte = address < end ? pte_lookup(src, address) : 0;
    const p = pte === 0 ? NULL : vm_normal_page(pte);
    if (pte !== 0 && !shared) {
      pte = pte_wrprotect(pte);
      set_pte_at(src, address, pte);
    }
    if (p !== NULL) {
      get_page(p);
      atomic_inc_return(p, page._mapcount);
    }
    pte_unlock(src);
    if (pte === 0) return;
    pte_lock(dst);
    set_pte_at(dst, address, pte);
    if (p !== NULL) set(dst, mm_struct.rss, get(dst, mm_struct.rss) + 1);
    pte_unlock(dst);
    address += PAGE_SIZE;
  }
}
