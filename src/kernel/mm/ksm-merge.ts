/**
 * Making two mappings one (mm/ksm.c, Linux 6.1): write protection, replacing a page by its equal. Under ksm_thread_mutex.
 */
import { atomic_dec_return, atomic_inc_return, get, set } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { EFAULT } from '../include/errno.ts';
import { mm_struct, page, vm_area_struct } from '../include/mm_types.ts';
import { mmap_read_lock, mmap_read_unlock } from '../include/mmap_lock.ts';
import { PageAnon } from '../include/page-flags.ts';
import { trylock_page, unlock_page } from '../include/pagemap.ts';
import { trace_anon_vma_get } from '../trace/trace-merge.ts';
import { break_cow } from './ksm-break.ts';
import { remove_rmap_item_from_tree } from './ksm-rmap.ts';
import { set_page_stable_node } from './ksm-stable-node.ts';
import { ksm_rmap_item } from './ksm-types.ts';
import { find_mergeable_vma, rmap_item_address } from './ksm-unstable-tree.ts';
import { get_page, page_count, page_mapcount, put_page, ZERO_PAGE } from './page_alloc.ts';
import { pages_identical } from './page-content.ts';
import { mk_pte, PTE_PRESENT, PTE_SPECIAL, pte_lock, pte_lookup, pte_page, pte_unlock, pte_wrprotect, set_pte_at } from './pgtable.ts';
import { get_anon_vma } from './rmap.ts';

type Vma = Ptr<'vm_area_struct'>;
type Page = Ptr<'page'>;
type Item = Ptr<'ksm_rmap_item'>;

/**
 * Makes sure that nobody can write to the page any more. Must hold mmap_lock, the page's lock and a reference.
 * @returns the read-only entry that maps it, or 0 when the page is not mapped there or somebody else holds a reference
 */
function write_protect_page(vma: Vma, addr: number, p: Page): number {
  const mm = get(vma, vm_area_struct.vm_mm);
  pte_lock(mm);
  let pte = pte_lookup(mm, addr);
  if (pte === 0 || pte_page(pte) !== p) {
    pte_unlock(mm);
    return 0;
  }
  // The entry goes first: from here on nobody can get at the page through it while the references are counted.
  set_pte_at(mm, addr, 0);
  // Each mapping holds one, and our caller one: any other may be somebody who is about to write.
  if (page_mapcount(p) + 1 !== page_count(p)) {
    set_pte_at(mm, addr, pte);
    pte_unlock(mm);
    return 0;
  }
  pte = pte_wrprotect(pte);
  set_pte_at(mm, addr, pte);
  pte_unlock(mm);
  return pte;
}

/**
 * Maps `kpage` in the place of `p`. Must hold mmap_lock and the lock of `p`.
 * @param orig_pte  the entry that must still be there
 * @returns 0 or -EFAULT when it is not
 */
function replace_page(vma: Vma, addr: number, p: Page, kpage: Page, orig_pte: number): number {
  const mm = get(vma, vm_area_struct.vm_mm);
  pte_lock(mm);
  if (pte_lookup(mm, addr) !== orig_pte) {
    pte_unlock(mm);
    return -EFAULT;
  }
  if (kpage === ZERO_PAGE) {
    set_pte_at(mm, addr, mk_pte(kpage, PTE_PRESENT | PTE_SPECIAL));
    set(mm, mm_struct.rss, get(mm, mm_struct.rss) - 1);
  } else {
    get_page(kpage);
    atomic_inc_return(kpage, page._mapcount);
    set_pte_at(mm, addr, mk_pte(kpage, PTE_PRESENT));
  }
  atomic_dec_return(p, page._mapcount);
  put_page(p);
  pte_unlock(mm);
  return 0;
}

/**
 * Merges one page. Must hold mmap_lock and a reference on `p`.
 * @param kpage  what to map instead; NULL: `p` itself becomes a KSM page, without a stable node as yet
 * @returns 0 or -EFAULT
 */
export function try_to_merge_one_page(vma: Vma, addr: number, p: Page, kpage: Page): number {
  if (p === kpage) return 0;
  if (!PageAnon(p)) return -EFAULT;
  // Somebody works with it: it will be met again in the next scan.
  if (!trylock_page(p)) return -EFAULT;
  let error = -EFAULT;
  const orig_pte = write_protect_page(vma, addr, p);
  if (orig_pte !== 0) {
    if (kpage === NULL) {
      set_page_stable_node(p, NULL);
      error = 0;
    } else if (pages_identical(p, kpage)) error = replace_page(vma, addr, p, kpage, orig_pte);
  }
  unlock_page(p);
  return error;
}

/**
 * Merges the page of an item with `kpage` (NULL: makes it a KSM page). On success the item is in no tree and holds its anon_vma.
 * May sleep.
 * @returns 0 or -EFAULT
 */
export function try_to_merge_with_ksm_page(item: Item, p: Page, kpage: Page): number {
  const mm = get(item, ksm_rmap_item.mm);
  const addr = rmap_item_address(item);
  let error = -EFAULT;
  mmap_read_lock(mm);
  const vma = find_mergeable_vma(mm, addr);
  if (vma !== NULL) error = try_to_merge_one_page(vma, addr, p, kpage);
  if (error === 0) {
    remove_rmap_item_from_tree(item);
    // While mmap_lock is held the area still holds it too.
    const av = get(vma, vm_area_struct.anon_vma);
    set(item, ksm_rmap_item.anon_vma, av);
    trace_anon_vma_get(av, get_anon_vma(av));
  }
  mmap_read_unlock(mm);
  return error;
}

/**
 * Makes one KSM page of two equal pages: `p` becomes it, `tree_page` is replaced by it. May sleep.
 * @returns `p`, or NULL when it failed and all is as before
 */
export function try_to_merge_two_pages(item: Item, p: Page, tree_item: Item, tree_page: Page): Page {
  if (try_to_merge_with_ksm_page(item, p, NULL) !== 0) return NULL;
  if (try_to_merge_with_ksm_page(tree_item, tree_page, p) === 0) return p;
  // A KSM page without a stable node can't stay.
  break_cow(item);
  return NULL;
}
