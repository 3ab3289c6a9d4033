/** One step of ksmd: what becomes of the page that the scan came to (mm/ksm.c, Linux 6.1). Under ksm_thread_mutex. */
import { get, set } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { mmap_read_lock, mmap_read_unlock } from '../include/mmap_lock.ts';
import { page_stable_node } from '../include/page-flags.ts';
import { lock_page, unlock_page } from '../include/pagemap.ts';
import { trace_checksum } from '../trace/trace-ksm.ts';
import { break_cow } from './ksm-break.ts';
import { try_to_merge_one_page, try_to_merge_two_pages, try_to_merge_with_ksm_page } from './ksm-merge.ts';
import { remove_rmap_item_from_tree } from './ksm-rmap.ts';
import { PAGE_BUSY } from './ksm-stable-node.ts';
import { stable_tree_append, stable_tree_insert, stable_tree_search } from './ksm-stable-tree.ts';
import { KSM, ksm, ksm_rmap_item } from './ksm-types.ts';
import { find_mergeable_vma, rmap_item_address, unstable_tree_search_insert } from './ksm-unstable-tree.ts';
import { put_page, ZERO_PAGE } from './page_alloc.ts';
import { calc_checksum, zero_checksum } from './page-content.ts';

type Page = Ptr<'page'>;
type Item = Ptr<'ksm_rmap_item'>;

/** The page replaces itself by the page of zeros. A vanished area counts as done, so that its item is not kept. @inline */
function merge_with_zero_page(p: Page, item: Item): boolean {
  const mm = get(item, ksm_rmap_item.mm);
  const addr = rmap_item_address(item);
  mmap_read_lock(mm);
  const vma = find_mergeable_vma(mm, addr);
  const done = vma === NULL || try_to_merge_one_page(vma, addr, p, ZERO_PAGE) === 0;
  mmap_read_unlock(mm);
  return done;
}

/** The page of the item and that of an equal item in the unstable tree become one KSM page. @inline */
function merge_with_partner(p: Page, item: Item, partner: Item): void {
  const tree_page = get(ksm, KSM.scan_tree_page);
  const kpage = try_to_merge_two_pages(item, p, partner, tree_page);
  put_page(tree_page);
  if (kpage === NULL) return;
  lock_page(kpage);
  const node = stable_tree_insert(kpage);
  if (node !== NULL) {
    stable_tree_append(partner, node);
    stable_tree_append(item, node);
  }
  unlock_page(kpage);
  if (node === NULL) {
    break_cow(partner);
    break_cow(item);
  }
}

/**
 * Looks where the page belongs: with a KSM page of the same content, with an equal page of the unstable tree, or into that tree if it
 * did not change since the last scan. Must hold a reference on it. May sleep.
 */
export function cmp_and_merge_page(p: Page, item: Item): void {
  const node = page_stable_node(p);
  if (node !== NULL && get(item, ksm_rmap_item.head) === node) return;

  // A KSM page that came by fork is its own answer: its node takes one more sharer, over the limit too.
  const kpage = stable_tree_search(p);
  remove_rmap_item_from_tree(item);
  if (kpage === PAGE_BUSY) return;
  if (kpage !== NULL) {
    if (try_to_merge_with_ksm_page(item, p, kpage) === 0) {
      lock_page(kpage);
      stable_tree_append(item, page_stable_node(kpage));
      unlock_page(kpage);
    }
    put_page(kpage);
    return;
  }

  const checksum = calc_checksum(p);
  const changed = get(item, ksm_rmap_item.oldchecksum) !== checksum;
  trace_checksum(item, changed ? 1 : 0);
  if (changed) {
    set(item, ksm_rmap_item.oldchecksum, checksum);
    return;
  }
  if (get(ksm, KSM.use_zero_pages) !== 0 && checksum === zero_checksum && merge_with_zero_page(p, item)) return;
  const partner = unstable_tree_search_insert(item, p);
  if (partner !== NULL) merge_with_partner(p, item, partner);
}
