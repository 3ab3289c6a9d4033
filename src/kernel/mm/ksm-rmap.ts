/**
 * rmap_items: one per scanned page, on a list of the slot in address order (mm/ksm.c, Linux 6.1).
 *
 * All of it under ksm_thread_mutex; while the mm lives its mmap_lock is held too.
 */
import { addressOf, get, getUlong, set, setUlong } from '../../machine/door.ts';
import { panic } from '../../machine/errors.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { hlist_del, hlist_empty } from '../include/list.ts';
import { mm_struct, offset_in_page } from '../include/mm_types.ts';
import { unlock_page } from '../include/pagemap.ts';
import { should_fail } from '../lib/fault-inject.ts';
import { rb_erase } from '../lib/rbtree.ts';
import { trace_rmap_item_alloc, trace_rmap_item_free } from '../trace/trace-ksm.ts';
import { trace_hlist_del, trace_unstable_flag, trace_unstable_tree_erase } from '../trace/trace-merge.ts';
import { count_unshared } from './ksm-counters.ts';
import { GET_KSM_PAGE_LOCK, get_ksm_page, leave_stable_node } from './ksm-stable-node.ts';
import {
  KSM,
  ksm,
  ksm_mm_slot,
  ksm_rmap_item,
  ksm_stable_node,
  rmap_link,
  root_unstable_tree,
  SEQNR_MASK,
  STABLE_FLAG,
  UNSTABLE_FLAG,
} from './ksm-types.ts';
import { put_page } from './page_alloc.ts';
import { KMEM_CACHE, kmem_cache_free, kmem_cache_zalloc } from './slab.ts';

type Item = Ptr<'ksm_rmap_item'>;
type Link = Ptr<'rmap_link'>;

const rmap_item_cache = KMEM_CACHE(ksm_rmap_item);

/** NULL when the allocation fails. @inline */
function alloc_rmap_item(mm: Ptr<'mm_struct'>): Item {
  if (should_fail()) return NULL;
  const item = kmem_cache_zalloc(rmap_item_cache);
  set(mm, mm_struct.ksm_rmap_items, get(mm, mm_struct.ksm_rmap_items) + 1);
  const items = get(ksm, KSM.ksm_rmap_items) + 1;
  set(ksm, KSM.ksm_rmap_items, items);
  set(item, ksm_rmap_item.mm, mm);
  trace_rmap_item_alloc(item, mm, items);
  return item;
}

/** @inline */
function free_rmap_item(item: Item): void {
  const mm = get(item, ksm_rmap_item.mm);
  set(mm, mm_struct.ksm_rmap_items, get(mm, mm_struct.ksm_rmap_items) - 1);
  const items = get(ksm, KSM.ksm_rmap_items) - 1;
  set(ksm, KSM.ksm_rmap_items, items);
  trace_rmap_item_free(item, mm, items);
  set(item, ksm_rmap_item.mm, NULL);
  kmem_cache_free(rmap_item_cache, item);
}

/**
 * Takes an item out of the tree that it is in, if any. From the unstable tree it has to be taken only when it was inserted in this
 * very scan: older ones went away with their tree. May sleep.
 */
export function remove_rmap_item_from_tree(item: Item): void {
  const address = getUlong(item, ksm_rmap_item.address);
  const flags = offset_in_page(address);
  if ((flags & STABLE_FLAG) !== 0) {
    const node = get(item, ksm_rmap_item.head);
    // A stale node takes all its items with it, this one too.
    const p = get_ksm_page(node, GET_KSM_PAGE_LOCK);
    if (p === NULL) return;
    hlist_del(addressOf(item, ksm_rmap_item.hlist));
    trace_hlist_del(item, get(node, ksm_stable_node.rmap_hlist_len) - 1);
    unlock_page(p);
    put_page(p);
    leave_stable_node(item, node, hlist_empty(addressOf(node, ksm_stable_node.hlist)));
  } else if ((flags & UNSTABLE_FLAG) !== 0) {
    const age = (get(ksm, KSM.scan_seqnr) - flags) & SEQNR_MASK;
    if (age > 1) panic(`remove_rmap_item_from_tree: BUG_ON: the item was inserted ${age} scans ago`);
    if (age === 0) {
      rb_erase(addressOf(item, ksm_rmap_item.node), root_unstable_tree);
      trace_unstable_tree_erase(item);
    }
    count_unshared(-1);
    setUlong(item, ksm_rmap_item.address, address - flags);
    trace_unstable_flag(item, false);
  }
}

/** Frees all items from `link` on. */
export function remove_trailing_rmap_items(link: Link): void {
  let item = get(link, rmap_link.item);
  while (item !== NULL) {
    const next = get(addressOf(item, ksm_rmap_item.rmap_list), rmap_link.item);
    set(link, rmap_link.item, next);
    remove_rmap_item_from_tree(item);
    free_rmap_item(item);
    item = next;
  }
}

/**
 * The item for `address`, at `link` or made there; items before it whose page is gone are freed on the way. NULL without memory.
 */
export function get_next_rmap_item(slot: Ptr<'ksm_mm_slot'>, link: Link, address: number): Item {
  let item = get(link, rmap_link.item);
  while (item !== NULL) {
    const at = getUlong(item, ksm_rmap_item.address);
    const page_address = at - offset_in_page(at);
    if (page_address === address) return item;
    if (page_address > address) break;
    const next = get(addressOf(item, ksm_rmap_item.rmap_list), rmap_link.item);
    set(link, rmap_link.item, next);
    remove_rmap_item_from_tree(item);
    free_rmap_item(item);
    item = next;
  }
  const fresh = alloc_rmap_item(get(slot, ksm_mm_slot.mm));
  if (fresh === NULL) return NULL;
  setUlong(fresh, ksm_rmap_item.address, address);
  set(addressOf(fresh, ksm_rmap_item.rmap_list), rmap_link.item, item);
  set(link, rmap_link.item, fresh);
  return fresh;
}
