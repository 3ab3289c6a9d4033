/**
 * Page faults (mm/memory.c, Linux 6.1), anonymous memory only: pages appear, and shared ones are copied when written. Unmapping and
 * copying of whole ranges is in memory-range.ts. Left out: huge pages, swap, files, userfaultfd, TLB flushes.
 */
import { atomic_dec_return, atomic_read, get, getUlong, set } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { mm_struct, offset_in_page, PAGE_MAPPING_ANON, page, VM_WRITE, vm_area_struct } from '../include/mm_types.ts';
import { mmap_read_lock, mmap_read_unlock } from '../include/mmap_lock.ts';
import { PageKsm } from '../include/page-flags.ts';
import { alloc_page, get_page, put_page, ZERO_PAGE } from './page_alloc.ts';
import { copy_user_highpage, storeNumber } from './page-content.ts';
import {
  mk_pte,
  PTE_PRESENT,
  PTE_SPECIAL,
  PTE_WRITE,
  pte_lock,
  pte_lookup,
  pte_page,
  pte_unlock,
  set_pte_at,
  vm_normal_page,
} from './pgtable.ts';
import { anon_vma_prepare } from './rmap.ts';
import { find_vma } from './vma-iterator.ts';

type Mm = Ptr<'mm_struct'>;
type Vma = Ptr<'vm_area_struct'>;
type Page = Ptr<'page'>;

/** No frame was to be had. */
export const VM_FAULT_OOM = 0x1;
/** A page was made private by copying it. */
export const VM_FAULT_WRITE = 0x8;
/** No area at the address, or no permission. */
export const VM_FAULT_SIGSEGV = 0x40;
export const VM_FAULT_ERROR = VM_FAULT_OOM | VM_FAULT_SIGSEGV;

/** May the area's pages be written without a further fault? @inline */
function maybe_mkwrite(vma: Vma): number {
  return (get(vma, vm_area_struct.vm_flags) & VM_WRITE) !== 0 ? PTE_WRITE : 0;
}

/** `p` becomes an anonymous page of the area, mapped once. @inline */
function page_add_new_anon_rmap(p: Page, vma: Vma): void {
  set(p, page.mapping, get(vma, vm_area_struct.anon_vma) | PAGE_MAPPING_ANON);
  set(p, page._mapcount, 0);
}

/** Nothing is mapped yet: a fresh frame for a write, the page of zeros for a read. Must hold mmap_lock. */
function do_anonymous_page(vma: Vma, address: number, write: boolean): number {
  const mm = get(vma, vm_area_struct.vm_mm);
  let fresh: Page = NULL;
  let pte = mk_pte(ZERO_PAGE, PTE_PRESENT | PTE_SPECIAL);
  if (write) {
    anon_vma_prepare(vma);
    fresh = alloc_page();
    if (fresh === NULL) return VM_FAULT_OOM;
    page_add_new_anon_rmap(fresh, vma);
    pte = mk_pte(fresh, PTE_PRESENT | maybe_mkwrite(vma));
  }
  pte_lock(mm);
  const lost = pte_lookup(mm, address) !== 0;
  if (!lost) {
    set_pte_at(mm, address, pte);
    if (fresh !== NULL) set(mm, mm_struct.rss, get(mm, mm_struct.rss) + 1);
  }
  pte_unlock(mm);
  if (lost && fresh !== NULL) put_page(fresh);
  return 0;
}

/**
 * A write to a page that is mapped read-only. A page of nobody else is taken over in place; a KSM page never is, not even by its
 * last sharer. Called with the page-table lock, and gives it up. Must hold mmap_lock.
 */
function do_wp_page(vma: Vma, address: number, pte: number): number {
  const mm = get(vma, vm_area_struct.vm_mm);
  const old = vm_normal_page(pte);
  if (old !== NULL && !PageKsm(old) && atomic_read(old, page._refcount) === 1) {
    // The one reference is this mapping's, and whoever wants another must come through this entry.
    set_pte_at(mm, address, pte | maybe_mkwrite(vma));
    pte_unlock(mm);
    return VM_FAULT_WRITE;
  }
  if (old !== NULL) get_page(old);
  pte_unlock(mm);
  return wp_page_copy(vma, address, pte, old);
}

/**
 * Replaces what is mapped by a copy. Backs out when the entry is no longer the one seen.
 * @param old  the page to copy, with a reference that is dropped here; NULL: the page of zeros
 */
function wp_page_copy(vma: Vma, address: number, pte: number, old: Page): number {
  const mm = get(vma, vm_area_struct.vm_mm);
  anon_vma_prepare(vma);
  const copy = alloc_page();
  if (copy === NULL) {
    if (old !== NULL) put_page(old);
    return VM_FAULT_OOM;
  }
  if (old !== NULL) copy_user_highpage(copy, old);
  page_add_new_anon_rmap(copy, vma);
  pte_lock(mm);
  const same = pte_lookup(mm, address) === pte;
  if (same) {
    set_pte_at(mm, address, mk_pte(copy, PTE_PRESENT | maybe_mkwrite(vma)));
    if (old !== NULL) atomic_dec_return(old, page._mapcount);
    else set(mm, mm_struct.rss, get(mm, mm_struct.rss) + 1);
  }
  pte_unlock(mm);
  if (!same) put_page(copy);
  if (old !== NULL) {
    if (same) put_page(old);
    put_page(old);
  }
  return same ? VM_FAULT_WRITE : 0;
}

/**
 * Makes the page at `address` present, and for a write private. Must hold mmap_lock. The area's permission was checked, or does not
 * matter: KSM breaks pages of read-only areas too.
 * @returns VM_FAULT_* bits; without VM_FAULT_WRITE and without error, a fault for write may have to be repeated
 */
export function handle_mm_fault(vma: Vma, address: number, write: boolean): number {
  const mm = get(vma, vm_area_struct.vm_mm);
  pte_lock(mm);
  const pte = pte_lookup(mm, address);
  if (pte !== 0 && write && (pte & PTE_WRITE) === 0) return do_wp_page(vma, address, pte);
  pte_unlock(mm);
  return pte === 0 ? do_anonymous_page(vma, address, write) : 0;
}

/** Writes a number at the start of a page if it is mapped writable; tells whether it was. @inline */
export function storeIfWritable(mm: Mm, address: number, content: number): boolean {
  pte_lock(mm);
  const pte = pte_lookup(mm, address);
  const writable = (pte & PTE_WRITE) !== 0;
  if (writable) storeNumber(pte_page(pte), content);
  pte_unlock(mm);
  return writable;
}

/** One fault of a program at `address`. Returns VM_FAULT_OOM, VM_FAULT_SIGSEGV or 0. @inline */
export function faultOnce(mm: Mm, address: number, write: boolean): number {
  mmap_read_lock(mm);
  const vma = find_vma(mm, address);
  let fault = VM_FAULT_SIGSEGV;
  if (vma !== NULL && getUlong(vma, vm_area_struct.vm_start) <= address && (!write || maybe_mkwrite(vma) !== 0)) {
    fault = handle_mm_fault(vma, address - offset_in_page(address), write) & VM_FAULT_ERROR;
  }
  mmap_read_unlock(mm);
  return fault;
}

/**
 * What a user's write (or, with `content` undefined, read) at `address` makes happen when the page is not there or not writable:
 * faults until it is, then its first eight bytes change.
 * @returns 0, VM_FAULT_SIGSEGV or VM_FAULT_OOM
 */
export function do_user_addr_fault(mm: Mm, address: number, content: number | undefined): number {
  for (;;) {
    const fault = faultOnce(mm, address, content !== undefined);
    // Between fault and store the page may be write-protected again: then it faults once more.
    if (fault !== 0 || content === undefined || storeIfWritable(mm, address - offset_in_page(address), content)) return fault;
  }
}
