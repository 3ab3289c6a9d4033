/**
 * What must hold of KSM whenever nothing moves: counters against a recount of lists and trees, stable nodes against their pages, pages
 * against the page tables. Ours. Takes no lock and makes no change; call it while no task runs. @notrace
 */
import { addressOf, containerOf, get, getUlong } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { hlist_head, hlist_node } from '../include/list.ts';
import { mm_struct, offset_in_page, PAGE_MAPPING_KSM, PAGE_SIZE, page, vm_area_struct } from '../include/mm_types.ts';
import { rb_first, rb_next } from '../lib/rbtree.ts';
import {
  KSM,
  ksm,
  ksm_mm_head,
  ksm_mm_slot,
  ksm_rmap_item,
  ksm_stable_node,
  next_slot,
  rmap_link,
  root_stable_tree,
  STABLE_FLAG,
  STABLE_NODE_CHAIN,
  UNSTABLE_FLAG,
} from './ksm-types.ts';
import { memcmp_pages } from './page-content.ts';
import { mappingAtRest } from './page-peek.ts';
import { next_present, pte_lookup, vm_normal_page } from './pgtable.ts';

type Node = Ptr<'ksm_stable_node'>;
type Page = Ptr<'page'>;

/** A recount. */
interface Found {
  wrong: Set<string>;
  items: number;
  unstable: number;
  stable: number;
  shared: number;
  chains: number;
  dups: number;
  /** Items per mm that hang on a stable node. */
  merging: Map<number, number>;
  /** Page-table entries per frame, over all mms that KSM knows. */
  mapped: Map<number, number>;
}

function bump(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Counts the entries of an mm's page tables by frame. */
function countMappings(mm: Ptr<'mm_struct'>, mapped: Map<number, number>): void {
  for (let vma = get(mm, mm_struct.mmap); vma !== NULL; vma = get(vma, vm_area_struct.vm_next)) {
    const end = getUlong(vma, vm_area_struct.vm_end);
    for (let at = next_present(mm, getUlong(vma, vm_area_struct.vm_start), end); at < end; at = next_present(mm, at + PAGE_SIZE, end)) {
      const p = vm_normal_page(pte_lookup(mm, at));
      if (p !== NULL) bump(mapped, p);
    }
  }
}

function checkSlot(slot: Ptr<'ksm_mm_slot'>, found: Found): void {
  const mm = get(slot, ksm_mm_slot.mm);
  let before = -1;
  let items = 0;
  for (let item = get(addressOf(slot, ksm_mm_slot.rmap_list), rmap_link.item); item !== NULL; ) {
    const address = getUlong(item, ksm_rmap_item.address);
    const flags = offset_in_page(address);
    if (address - flags <= before) found.wrong.add('rmap_items of a slot are not in address order');
    before = address - flags;
    if (get(item, ksm_rmap_item.mm) !== mm) found.wrong.add('an rmap_item is on the list of another mm');
    if ((flags & UNSTABLE_FLAG) !== 0) found.unstable++;
    if ((flags & STABLE_FLAG) !== 0) found.stable++;
    items++;
    item = get(addressOf(item, ksm_rmap_item.rmap_list), rmap_link.item);
  }
  if (items !== get(mm, mm_struct.ksm_rmap_items)) found.wrong.add('ksm_rmap_items of an mm is not the length of its list');
  found.items += items;
  if (get(mm, mm_struct.mm_users) !== 0) countMappings(mm, found.mapped);
}

/** Checks a node that is not a chain; gives its page, NULL when it is stale. */
function checkNode(node: Node, found: Found): Page {
  let length = 0;
  for (let link = get(addressOf(node, ksm_stable_node.hlist), hlist_head.first); link !== NULL; link = get(link, hlist_node.next)) {
    const item = containerOf(link, ksm_rmap_item.hlist);
    if (get(item, ksm_rmap_item.head) !== node) found.wrong.add('an rmap_item on a stable node names another one');
    if ((offset_in_page(getUlong(item, ksm_rmap_item.address)) & STABLE_FLAG) === 0)
      found.wrong.add('an rmap_item on a stable node has no flag');
    if (get(item, ksm_rmap_item.anon_vma) === NULL) found.wrong.add('an rmap_item on a stable node holds no anon_vma');
    bump(found.merging, get(item, ksm_rmap_item.mm));
    length++;
  }
  if (length !== get(node, ksm_stable_node.rmap_hlist_len)) found.wrong.add('the length of a stable node is not that of its list');
  if (length > 0) found.shared++;
  const p = get(node, ksm_stable_node.kpfn);
  // The page of a stale node is gone.
  if (mappingAtRest(p) !== (node | PAGE_MAPPING_KSM)) return NULL;
  const mappings = get(p, page._mapcount) + 1;
  if (mappings !== (found.mapped.get(p) ?? 0)) found.wrong.add('the map count of a KSM page is not the number of entries that map it');
  if (get(p, page._refcount) !== mappings) found.wrong.add('a KSM page has other references than its mappings');
  return p;
}

/** Checks what stands at one place of the stable tree; gives a page with its content, NULL when all of it is stale. */
function checkTreeNode(node: Node, found: Found): Page {
  if (get(node, ksm_stable_node.kind) !== STABLE_NODE_CHAIN) return checkNode(node, found);
  found.chains++;
  let content: Page = NULL;
  for (let link = get(addressOf(node, ksm_stable_node.hlist), hlist_head.first); link !== NULL; link = get(link, hlist_node.next)) {
    found.dups++;
    const p = checkNode(containerOf(link, ksm_stable_node.hlist_dup), found);
    if (p !== NULL && content !== NULL && memcmp_pages(p, content) !== 0) found.wrong.add('two pages of one chain differ');
    if (p !== NULL) content = p;
  }
  return content;
}

function checkStableTree(found: Found): void {
  let before: Page = NULL;
  for (let node = rb_first(root_stable_tree); node !== NULL; node = rb_next(node)) {
    const p = checkTreeNode(containerOf(node, ksm_stable_node.node), found);
    if (p !== NULL && before !== NULL && memcmp_pages(before, p) >= 0)
      found.wrong.add('the stable tree is not in the order of its contents');
    if (p !== NULL) before = p;
  }
}

/** What does not hold, a sentence each; empty when all is well. */
export function checkKsm(): string[] {
  const wrong = new Set<string>();
  const found: Found = { wrong, items: 0, unstable: 0, stable: 0, shared: 0, chains: 0, dups: 0, merging: new Map(), mapped: new Map() };
  for (let slot = next_slot(ksm_mm_head); slot !== ksm_mm_head; slot = next_slot(slot)) checkSlot(slot, found);
  checkStableTree(found);
  const shared = get(ksm, KSM.ksm_pages_shared);
  const sharing = get(ksm, KSM.ksm_pages_sharing);
  const unshared = get(ksm, KSM.ksm_pages_unshared);
  if (found.items !== get(ksm, KSM.ksm_rmap_items)) wrong.add('the number of rmap_items is not that on the lists');
  if (found.shared !== shared) wrong.add('pages_shared is not the number of stable nodes with items');
  if (found.stable !== shared + sharing) wrong.add('pages_shared and pages_sharing are not the number of items in the stable tree');
  if (found.unstable !== unshared) wrong.add('pages_unshared is not the number of items in the unstable tree');
  if (shared + sharing + unshared > found.items) wrong.add('pages_volatile is below 0');
  if (found.chains !== get(ksm, KSM.ksm_stable_node_chains)) wrong.add('stable_node_chains is not the number of chains');
  if (found.dups !== get(ksm, KSM.ksm_stable_node_dups)) wrong.add('stable_node_dups is not the number of nodes on chains');
  for (let slot = next_slot(ksm_mm_head); slot !== ksm_mm_head; slot = next_slot(slot)) {
    const mm = get(slot, ksm_mm_slot.mm);
    if (get(mm, mm_struct.ksm_merging_pages) !== (found.merging.get(mm) ?? 0)) {
      wrong.add('ksm_merging_pages of an mm is not the number of its items in the stable tree');
    }
  }
  return [...wrong];
}
