/**
 * rmap_items: one per scanned page, on a list of the slot in address order (mm/ksm.c, Linux 6.1).
 *
 * All of it under ksm_thread_mutex; while the mm lives its mmap_lock is held too.
 */
import { addressOf, get, getUlong, set, setUlong } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { mm_struct, offset_in_page } from '../include/mm_types.ts';
import { trace_rmap_item_alloc, trace_rmap_item_free } from '../trace/trace-ksm.ts';
import { ksm_mm_slot, ksm_rmap_item, rmap_link } from './ksm-types.ts';
import { KMEM_CACHE, kmem_cache_free, kmem_cache_zalloc } from './slab.ts';

type Item = Ptr<'ksm_rmap_item'>;
type Link = Ptr<'rmap_link'>;

const rmap_item_cache = KMEM_CACHE(ksm_rmap_item);

/** @inline */
function alloc_rmap_item(mm: Ptr<'mm_struct'>): Item {
  const item = kmem_cache_zalloc(rmap_item_cache, ksm_rmap_item);
  const items = get(mm, mm_struct.ksm_rmap_items) + 1;
  set(mm, mm_struct.ksm_rmap_items, items);
  set(item, ksm_rmap_item.mm, mm);
  trace_rmap_item_alloc(item, mm, items);
  return item;
}

/** @inline */
function free_rmap_item(item: Item): void {
  const mm = get(item, ksm_rmap_item.mm);
  const items = get(mm, mm_struct.ksm_rmap_items) - 1;
  set(mm, mm_struct.ksm_rmap_items, items);
  trace_rmap_item_free(item, mm, items);
  set(item, ksm_rmap_item.mm, NULL);
  kmem_cache_free(rmap_item_cache, item);
}

/** Takes an item out of the tree that it is in. Nothing is merged yet, so it is in none. */
function remove_rmap_item_from_tree(item: Item): void {
  const address = getUlong(item, ksm_rmap_item.address);
  setUlong(item, ksm_rmap_item.address, address - offset_in_page(address));
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

/** The item for `address`, at `link` or made there; items before it whose page is gone are freed on the way. */
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
  setUlong(fresh, ksm_rmap_item.address, address);
  set(addressOf(fresh, ksm_rmap_item.rmap_list), rmap_link.item, item);
  set(link, rmap_link.item, fresh);
  return fresh;
}
