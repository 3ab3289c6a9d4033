/**
 * Page faults, unmapping, copying at fork (mm/memory.c, Linux 6.1), anonymous memory only.
 *
 * Content of a page is a number until frames carry bytes. Left out: huge pages, swap, files, TLB flushes.
 */
import { addressOf, atomic_dec_return, atomic_inc_return, get, getUlong, set, setUlong } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { mm_struct, PAGE_SHIFT, PAGE_SIZE, page, VM_WRITE, vm_area_struct } from '../include/mm_types.ts';
import { mmap_read_lock, mmap_read_unlock } from '../include/mmap_lock.ts';
import type { ma_state } from '../lib/maple-tree/state.ts';
import { spin_lock, spin_unlock } from '../locking/spinlock.ts';
import { alloc_page, get_page, put_page } from './page_alloc.ts';
import { free_pgd_range, mk_pte, next_present, PTE_PRESENT, PTE_WRITE, pte_lookup, pte_page, set_pte_at } from './pgtable.ts';
import { anon_vma_prepare, unlink_anon_vmas } from './rmap.ts';
import { find_vma, vma_next } from './vma-iterator.ts';

type Mm = Ptr<'mm_struct'>;
type Vma = Ptr<'vm_area_struct'>;

/** No area at the address, or no permission. */
export const VM_FAULT_SIGSEGV = 0x40;

/** Takes the page-table lock of an mm. @inline */
export function pte_lock(mm: Mm): void {
  spin_lock(addressOf(mm, mm_struct.page_table_lock));
}
/** @inline */
export function pte_unlock(mm: Mm): void {
  spin_unlock(addressOf(mm, mm_struct.page_table_lock));
}

/** Maps a fresh frame. Must hold mmap_lock. */
function do_anonymous_page(vma: Vma, address: number): void {
  const mm = get(vma, vm_area_struct.vm_mm);
  anon_vma_prepare(vma);
  const p = alloc_page();
  set(p, page.mapping, get(vma, vm_area_struct.anon_vma));
  setUlong(p, page.index, Math.floor(address / 2 ** PAGE_SHIFT));
  set(p, page._mapcount, 0);
  pte_lock(mm);
  const writable = (get(vma, vm_area_struct.vm_flags) & VM_WRITE) !== 0 ? PTE_WRITE : 0;
  const lost = pte_lookup(mm, address) !== 0;
  if (!lost) set_pte_at(mm, address, mk_pte(p, PTE_PRESENT | writable));
  pte_unlock(mm);
  if (lost) put_page(p);
}

/** A write to a read-only mapped page: copies it, or takes it over when nobody else maps it. Must hold mmap_lock. */
function do_wp_page(vma: Vma, address: number): void {
  const mm = get(vma, vm_area_struct.vm_mm);
  anon_vma_prepare(vma);
  const copy = alloc_page();
  set(copy, page.mapping, get(vma, vm_area_struct.anon_vma));
  set(copy, page._mapcount, 0);
  pte_lock(mm);
  const pte = pte_lookup(mm, address);
  if (pte === 0 || (pte & PTE_WRITE) !== 0) {
    pte_unlock(mm);
    put_page(copy);
    return;
  }
  const old = pte_page(pte);
  setUlong(copy, page.index, getUlong(old, page.index));
  setUlong(copy, page.content, getUlong(old, page.content));
  set_pte_at(mm, address, mk_pte(copy, PTE_PRESENT | PTE_WRITE));
  pte_unlock(mm);
  atomic_dec_return(old, page._mapcount);
  put_page(old);
}

/** Makes the page at `address` present, and writable for a write. Must hold mmap_lock. Returns 0 or VM_FAULT_*. */
export function handle_mm_fault(vma: Vma, address: number, write: boolean): number {
  const mm = get(vma, vm_area_struct.vm_mm);
  if (write && (get(vma, vm_area_struct.vm_flags) & VM_WRITE) === 0) return VM_FAULT_SIGSEGV;
  pte_lock(mm);
  const pte = pte_lookup(mm, address);
  pte_unlock(mm);
  if (pte === 0) do_anonymous_page(vma, address);
  else if (write && (pte & PTE_WRITE) === 0) do_wp_page(vma, address);
  return 0;
}

/**
 * What a user's write (or, with `content` undefined, read) at `address` makes happen: faults until the page is there,
 * then the content changes. Returns 0 or VM_FAULT_SIGSEGV.
 */
export function do_user_addr_fault(mm: Mm, address: number, content: number | undefined): number {
  mmap_read_lock(mm);
  const vma = find_vma(mm, address);
  let fault = VM_FAULT_SIGSEGV;
  if (vma !== NULL && getUlong(vma, vm_area_struct.vm_start) <= address) {
    fault = handle_mm_fault(vma, address, content !== undefined);
    if (fault === 0 && content !== undefined) {
      pte_lock(mm);
      setUlong(pte_page(pte_lookup(mm, address)), page.content, content);
      pte_unlock(mm);
    }
  }
  mmap_read_unlock(mm);
  return fault;
}

/** The page mapped at `address` with a reference, or NULL. Must hold mmap_lock. @inline */
export function follow_page(vma: Vma, address: number): Ptr<'page'> {
  const mm = get(vma, vm_area_struct.vm_mm);
  pte_lock(mm);
  const pte = pte_lookup(mm, address);
  const p = pte === 0 ? NULL : pte_page(pte);
  if (p !== NULL) get_page(p);
  pte_unlock(mm);
  return p;
}

/** Unmaps the pages of a range. Must hold mmap_lock. */
export function zap_pte_range(mm: Mm, start: number, end: number): void {
  pte_lock(mm);
  for (let address = next_present(mm, start, end); address < end; address = next_present(mm, address + PAGE_SIZE, end)) {
    const p = pte_page(pte_lookup(mm, address));
    set_pte_at(mm, address, 0);
    atomic_dec_return(p, page._mapcount);
    put_page(p);
  }
  pte_unlock(mm);
}

/** Unmaps all pages of all areas from `vma` on; `mas` stands on it. */
export function unmap_vmas(mas: ma_state, vma: Vma): void {
  for (let v = vma; v !== NULL; v = vma_next(mas)) {
    zap_pte_range(get(v, vm_area_struct.vm_mm), getUlong(v, vm_area_struct.vm_start), getUlong(v, vm_area_struct.vm_end));
  }
}

/** Frees page tables and anon_vmas of all areas from `vma` on; `mas` stands on it. */
export function free_pgtables(mas: ma_state, vma: Vma): void {
  const mm = get(vma, vm_area_struct.vm_mm);
  for (let v = vma; v !== NULL; v = vma_next(mas)) unlink_anon_vmas(v);
  free_pgd_range(mm);
}

/** Shares the pages of an area with a child, read-only in both. Must hold both mmap_locks for write. */
export function copy_page_range(dst_vma: Vma, src_vma: Vma): void {
  const src = get(src_vma, vm_area_struct.vm_mm);
  const dst = get(dst_vma, vm_area_struct.vm_mm);
  const end = getUlong(src_vma, vm_area_struct.vm_end);
  let address = getUlong(src_vma, vm_area_struct.vm_start);
  for (;;) {
    pte_lock(src);
    address = next_present(src, address, end);
    const p = address < end ? pte_page(pte_lookup(src, address)) : NULL;
    if (p !== NULL) {
      set_pte_at(src, address, mk_pte(p, PTE_PRESENT));
      get_page(p);
      atomic_inc_return(p, page._mapcount);
    }
    pte_unlock(src);
    if (p === NULL) return;
    pte_lock(dst);
    set_pte_at(dst, address, mk_pte(p, PTE_PRESENT));
    pte_unlock(dst);
    address += PAGE_SIZE;
  }
}
