/**
 * The unstable tree: rmap_items by the content of pages that their owners may change at any time, so that it may be out of order; a
 * new one is grown in every full scan (mm/ksm.c, Linux 6.1). All of it under ksm_thread_mutex.
 */
import { addressOf, containerOf, get, getUlong, set, setUlong } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { offset_in_page, VM_MERGEABLE, vm_area_struct } from '../include/mm_types.ts';
import { mmap_read_lock, mmap_read_unlock } from '../include/mmap_lock.ts';
import { PageAnon } from '../include/page-flags.ts';
import { ksm_test_exit } from '../include/sched-mm.ts';
import { rb_insert_color, rb_link_node, rb_node, rb_root } from '../lib/rbtree.ts';
import { trace_unstable_flag, trace_unstable_tree_insert } from '../trace/trace-merge.ts';
import { follow_page } from './gup.ts';
import { count_unshared } from './ksm-counters.ts';
import { KSM, ksm, ksm_rmap_item, root_unstable_tree, SEQNR_MASK, UNSTABLE_FLAG } from './ksm-types.ts';
import { put_page } from './page_alloc.ts';
import { memcmp_pages } from './page-content.ts';
import { vma_lookup } from './vma.ts';

type Item = Ptr<'ksm_rmap_item'>;
type Page = Ptr<'page'>;

/** The address of an item's page, without the flags. @inline */
export function rmap_item_address(item: Item): number {
  const address = getUlong(item, ksm_rmap_item.address);
  return address - offset_in_page(address);
}

/** The mergeable area at `addr`; NULL when there is none any more, or the mm has no users left. Must hold mmap_lock. @inline */
export function find_mergeable_vma(mm: Ptr<'mm_struct'>, addr: number): Ptr<'vm_area_struct'> {
  if (ksm_test_exit(mm)) return NULL;
  const vma = vma_lookup(mm, addr);
  if (vma === NULL || (get(vma, vm_area_struct.vm_flags) & VM_MERGEABLE) === 0) return NULL;
  return get(vma, vm_area_struct.anon_vma) === NULL ? NULL : vma;
}

/** The page of an item with a reference, NULL when it can't be had. May sleep. */
function get_mergeable_page(item: Item): Page {
  const mm = get(item, ksm_rmap_item.mm);
  const addr = rmap_item_address(item);
  let p: Page = NULL;
  mmap_read_lock(mm);
  const vma = find_mergeable_vma(mm, addr);
  if (vma !== NULL) p = follow_page(vma, addr);
  if (p !== NULL && !PageAnon(p)) {
    put_page(p);
    p = NULL;
  }
  mmap_read_unlock(mm);
  return p;
}

/**
 * Looks for an item whose page has the content of `p`; puts `item` into the tree if there is none. May sleep.
 * @returns the item found, its page with a reference in ksm_scan; NULL when `item` was inserted, or the walk met a page that could
 *   not be had, or this very page
 */
export function unstable_tree_search_insert(item: Item, p: Page): Item {
  let above: Ptr<'rb_node'> = NULL;
  let left = false;
  for (let node = get(root_unstable_tree, rb_root.rb_node); node !== NULL; ) {
    const other = containerOf(node, ksm_rmap_item.node);
    const tree_page = get_mergeable_page(other);
    if (tree_page === NULL) return NULL;
    const order = p === tree_page ? 0 : memcmp_pages(p, tree_page);
    if (order === 0 && p !== tree_page) {
      set(ksm, KSM.scan_tree_page, tree_page);
      return other;
    }
    put_page(tree_page);
    if (order === 0) return NULL;
    above = node;
    left = order < 0;
    node = left ? get(node, rb_node.rb_left) : get(node, rb_node.rb_right);
  }
  const seqnr = get(ksm, KSM.scan_seqnr) & SEQNR_MASK;
  setUlong(item, ksm_rmap_item.address, getUlong(item, ksm_rmap_item.address) + UNSTABLE_FLAG + seqnr);
  trace_unstable_flag(item, true);
  const node = addressOf(item, ksm_rmap_item.node);
  rb_link_node(root_unstable_tree, node, above, left);
  rb_insert_color(node, root_unstable_tree);
  trace_unstable_tree_insert(item);
  count_unshared(1);
  return NULL;
}
