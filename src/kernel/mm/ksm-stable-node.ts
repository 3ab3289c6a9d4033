/**
 * Stable nodes: one per KSM page, with the list of the rmap_items that share it (mm/ksm.c, Linux 6.1).
 *
 * A node does not keep its page. When the last process has let go of the page, the node is stale, and whoever meets it through
 * `get_ksm_page` removes it with all its items. All of it under ksm_thread_mutex.
 */
import { addressOf, containerOf, get, getUlong, set, setUlong, WRITE_ONCE } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { EBUSY } from '../include/errno.ts';
import { hlist_add_head, hlist_del, hlist_empty, hlist_head, hlist_node, INIT_HLIST_HEAD } from '../include/list.ts';
import { offset_in_page, PAGE_MAPPING_KSM, page } from '../include/mm_types.ts';
import { lock_page, trylock_page, unlock_page } from '../include/pagemap.ts';
import { should_fail } from '../lib/fault-inject.ts';
import { rb_erase, rb_replace_node, rb_root } from '../lib/rbtree.ts';
import {
  trace_anon_vma_put,
  trace_page_stable_node,
  trace_stable_flag,
  trace_stable_node_alloc,
  trace_stable_node_free,
} from '../trace/trace-merge.ts';
import { count_merging, count_shared } from './ksm-counters.ts';
import {
  KSM,
  ksm,
  ksm_rmap_item,
  ksm_stable_node,
  root_stable_tree,
  STABLE_NODE_CHAIN,
  STABLE_NODE_DUP,
  STABLE_NODE_SINGLE,
} from './ksm-types.ts';
import { page_mapcount, put_page } from './page_alloc.ts';
import { get_page_unless_zero, peekMapping } from './page-peek.ts';
import { put_anon_vma } from './rmap.ts';
import { KMEM_CACHE, kmem_cache_free, kmem_cache_zalloc } from './slab.ts';

type Node = Ptr<'ksm_stable_node'>;
type Item = Ptr<'ksm_rmap_item'>;
type Page = Ptr<'page'>;

const stable_node_cache = KMEM_CACHE(ksm_stable_node);

/** What get_ksm_page does with the page's lock: nothing, take it, or give up when it is taken. */
export const GET_KSM_PAGE_NOLOCK = 0;
export const GET_KSM_PAGE_LOCK = 1;
export const GET_KSM_PAGE_TRYLOCK = 2;
/** The page is there, but its lock is taken. */
export const PAGE_BUSY = -1 as Page;

/** A zeroed node, NULL when the allocation fails. @inline */
export function alloc_stable_node(): Node {
  if (should_fail()) return NULL;
  const node = kmem_cache_zalloc(stable_node_cache);
  trace_stable_node_alloc(node);
  return node;
}

/** @inline */
export function free_stable_node(node: Node): void {
  trace_stable_node_free(node);
  kmem_cache_free(stable_node_cache, node);
}

/** @inline */
export function is_stable_node_chain(node: Node): boolean {
  return get(node, ksm_stable_node.kind) === STABLE_NODE_CHAIN;
}

/** The stable node of a node of the tree. @inline */
export function stable_node_of(node: Ptr<'rb_node'>): Node {
  return containerOf(node, ksm_stable_node.node);
}

/** The page has this stable node from now on. @inline */
export function set_page_stable_node(p: Page, node: Node): void {
  WRITE_ONCE(p, page.mapping, node | PAGE_MAPPING_KSM);
  trace_page_stable_node(p, node === NULL ? 0 : 1);
}

/** Puts a node on the list of a chain. @inline */
export function stable_node_chain_add_dup(dup: Node, chain: Node): void {
  set(dup, ksm_stable_node.kind, STABLE_NODE_DUP);
  hlist_add_head(addressOf(dup, ksm_stable_node.hlist_dup), addressOf(chain, ksm_stable_node.hlist));
  set(ksm, KSM.ksm_stable_node_dups, get(ksm, KSM.ksm_stable_node_dups) + 1);
}

/** Takes a node off the list of its chain. @inline */
function stable_node_dup_del(dup: Node): void {
  hlist_del(addressOf(dup, ksm_stable_node.hlist_dup));
  set(ksm, KSM.ksm_stable_node_dups, get(ksm, KSM.ksm_stable_node_dups) - 1);
}

/** Makes a chain of a node of the tree: its place is taken by a head, of which it is the first dup. NULL without memory. */
export function alloc_stable_node_chain(dup: Node, now: number): Node {
  const chain = alloc_stable_node();
  if (chain === NULL) return NULL;
  INIT_HLIST_HEAD(addressOf(chain, ksm_stable_node.hlist));
  set(chain, ksm_stable_node.kind, STABLE_NODE_CHAIN);
  setUlong(chain, ksm_stable_node.chain_prune_time, now);
  set(ksm, KSM.ksm_stable_node_chains, get(ksm, KSM.ksm_stable_node_chains) + 1);
  rb_replace_node(addressOf(dup, ksm_stable_node.node), addressOf(chain, ksm_stable_node.node), root_stable_tree);
  stable_node_chain_add_dup(dup, chain);
  return chain;
}

/** The head of an empty chain goes. @inline */
export function free_stable_node_chain(chain: Node): void {
  rb_erase(addressOf(chain, ksm_stable_node.node), root_stable_tree);
  free_stable_node(chain);
  set(ksm, KSM.ksm_stable_node_chains, get(ksm, KSM.ksm_stable_node_chains) - 1);
}

/** The only dup of a chain takes its place in the tree. @inline */
export function collapse_chain(chain: Node, dup: Node): void {
  stable_node_dup_del(dup);
  set(dup, ksm_stable_node.kind, STABLE_NODE_SINGLE);
  rb_replace_node(addressOf(chain, ksm_stable_node.node), addressOf(dup, ksm_stable_node.node), root_stable_tree);
  free_stable_node(chain);
  set(ksm, KSM.ksm_stable_node_chains, get(ksm, KSM.ksm_stable_node_chains) - 1);
}

/** The item leaves its node: counters, reference, flag. @param last  it was the only one there. @inline */
export function leave_stable_node(item: Item, node: Node, last: boolean): void {
  count_shared(last, -1);
  count_merging(get(item, ksm_rmap_item.mm), -1);
  set(node, ksm_stable_node.rmap_hlist_len, get(node, ksm_stable_node.rmap_hlist_len) - 1);
  const av = get(item, ksm_rmap_item.anon_vma);
  set(item, ksm_rmap_item.anon_vma, NULL);
  set(item, ksm_rmap_item.head, NULL);
  trace_anon_vma_put(av, put_anon_vma(av));
  const address = getUlong(item, ksm_rmap_item.address);
  setUlong(item, ksm_rmap_item.address, address - offset_in_page(address));
  trace_stable_flag(item, false);
}

/** Removes a node with all its items, of whatever mm they are. Its page is gone, or about to lose its node. */
export function remove_node_from_stable_tree(node: Node): void {
  const head = addressOf(node, ksm_stable_node.hlist);
  for (let link = get(head, hlist_head.first); link !== NULL; ) {
    const next = get(link, hlist_node.next);
    leave_stable_node(containerOf(link, ksm_rmap_item.hlist), node, next === NULL);
    link = next;
  }
  if (get(node, ksm_stable_node.kind) === STABLE_NODE_DUP) stable_node_dup_del(node);
  else rb_erase(addressOf(node, ksm_stable_node.node), root_stable_tree);
  free_stable_node(node);
}

/**
 * The page of a node, with a reference, and locked if asked for. A stale node is removed: the page was freed, and may be anything by
 * now, which its mapping tells. May sleep for GET_KSM_PAGE_LOCK.
 * @returns NULL when the node was stale; PAGE_BUSY when GET_KSM_PAGE_TRYLOCK found the lock taken
 */
export function get_ksm_page(node: Node, flags: number): Page {
  const p = get(node, ksm_stable_node.kpfn);
  const expected = node | PAGE_MAPPING_KSM;
  if (peekMapping(p) === expected && get_page_unless_zero(p)) {
    // It may have been freed and taken by somebody else between the look and the reference.
    if (peekMapping(p) === expected) {
      if (flags === GET_KSM_PAGE_NOLOCK) return p;
      if (flags === GET_KSM_PAGE_LOCK) lock_page(p);
      else if (!trylock_page(p)) {
        put_page(p);
        return PAGE_BUSY;
      }
      return p;
    }
    put_page(p);
  }
  remove_node_from_stable_tree(node);
  return NULL;
}

/**
 * Removes a node when no process maps its page any more.
 * @returns 0, or -EBUSY while it is mapped: by a process between `ksm_exit` and `exit_mmap`
 */
function remove_stable_node(node: Node): number {
  const p = get_ksm_page(node, GET_KSM_PAGE_LOCK);
  if (p === NULL) return 0;
  let error = -EBUSY;
  if (page_mapcount(p) === 0) {
    set_page_stable_node(p, NULL);
    remove_node_from_stable_tree(node);
    error = 0;
  }
  unlock_page(p);
  put_page(p);
  return error;
}

/** Removes a node, or all dups of a chain and its head. @inline */
function remove_stable_node_chain(node: Node): number {
  if (!is_stable_node_chain(node)) return remove_stable_node(node);
  const dups = addressOf(node, ksm_stable_node.hlist);
  for (let link = get(dups, hlist_head.first); link !== NULL; ) {
    const next = get(link, hlist_node.next);
    const error = remove_stable_node(containerOf(link, ksm_stable_node.hlist_dup));
    if (error !== 0) return error;
    link = next;
  }
  if (hlist_empty(dups)) free_stable_node_chain(node);
  return 0;
}

/** Empties the stable tree. Returns 0, or -EBUSY when a page is still mapped. May sleep. */
export function remove_all_stable_nodes(): number {
  for (let top = get(root_stable_tree, rb_root.rb_node); top !== NULL; top = get(root_stable_tree, rb_root.rb_node)) {
    const error = remove_stable_node_chain(stable_node_of(top));
    if (error !== 0) return error;
  }
  return 0;
}
