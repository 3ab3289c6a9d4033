/** The stable tree: KSM pages by content, which can't change while they are in it (mm/ksm.c, Linux 6.1). All of it under ksm_thread_mutex. */
import { addressOf, get, getUlong, set, setUlong } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { hlist_add_head, hlist_empty, INIT_HLIST_HEAD } from '../include/list.ts';
import { page_stable_node } from '../include/page-flags.ts';
import { unlock_page } from '../include/pagemap.ts';
import { rb_insert_color, rb_link_node, rb_node, rb_root } from '../lib/rbtree.ts';
import { jiffies_msecs } from '../time.ts';
import { trace_hlist_add, trace_stable_flag, trace_stable_tree_insert } from '../trace/trace-merge.ts';
import { type Choice, stable_node_chain } from './ksm-chain.ts';
import { count_merging, count_shared } from './ksm-counters.ts';
import {
  alloc_stable_node,
  alloc_stable_node_chain,
  free_stable_node,
  GET_KSM_PAGE_TRYLOCK,
  get_ksm_page,
  is_stable_node_chain,
  PAGE_BUSY,
  set_page_stable_node,
  stable_node_chain_add_dup,
  stable_node_of,
} from './ksm-stable-node.ts';
import { ksm_rmap_item, ksm_stable_node, root_stable_tree, STABLE_FLAG } from './ksm-types.ts';
import { get_page, put_page } from './page_alloc.ts';
import { memcmp_pages } from './page-content.ts';

type Node = Ptr<'ksm_stable_node'>;
type Page = Ptr<'page'>;

/** Where a walk through the tree ended; private to it. */
interface Place {
  /** The node with the same content, if `equal`; else the last one met, NULL in an empty tree. */
  above: Ptr<'rb_node'>;
  left: boolean;
  equal: boolean;
  /** Of the last node met. */
  choice: Choice | undefined;
}

/** Walks from the root to the content of `p`; again from the root when a stale node was removed on the way. @inline */
function walk_stable_tree(p: Page, prune: boolean): Place {
  for (;;) {
    const place: Place = { above: NULL, left: false, equal: false, choice: undefined };
    let node = get(root_stable_tree, rb_root.rb_node);
    let stale = false;
    while (node !== NULL) {
      const choice = stable_node_chain(stable_node_of(node), prune);
      if (choice.page === NULL) {
        stale = true;
        break;
      }
      const order = memcmp_pages(p, choice.page);
      put_page(choice.page);
      // Pruning may have put another node into this place of the tree.
      node = addressOf(choice.node, ksm_stable_node.node);
      place.above = node;
      place.choice = choice;
      place.equal = order === 0;
      if (order === 0) break;
      place.left = order < 0;
      node = order < 0 ? get(node, rb_node.rb_left) : get(node, rb_node.rb_right);
    }
    if (!stale) return place;
  }
}

/**
 * The KSM page with the content of `p`, with a reference. A KSM page, as a fork maps it, is its own answer. May sleep.
 * @returns NULL when there is none, or none with room: then the page must find a partner in the unstable tree first; PAGE_BUSY when
 *   somebody holds the lock of the one that was found
 */
export function stable_tree_search(p: Page): Page {
  if (page_stable_node(p) !== NULL) {
    get_page(p);
    return p;
  }
  for (;;) {
    const place = walk_stable_tree(p, true);
    if (!place.equal) return NULL;
    const dup = (place.choice as Choice).dup;
    if (dup === NULL) return NULL;
    // Taken again with its lock: a lock that cannot be had means that the page is about to change hands.
    const kpage = get_ksm_page(dup, GET_KSM_PAGE_TRYLOCK);
    if (kpage === PAGE_BUSY) return PAGE_BUSY;
    if (kpage === NULL) continue;
    unlock_page(kpage);
    return kpage;
  }
}

/**
 * Makes a node for the new KSM page `kpage`, whose lock is held: by itself, or as a further dup where its content is in the tree
 * already.
 * @returns the node, NULL without memory
 */
export function stable_tree_insert(kpage: Page): Node {
  const place = walk_stable_tree(kpage, false);
  const fresh = alloc_stable_node();
  if (fresh === NULL) return NULL;
  INIT_HLIST_HEAD(addressOf(fresh, ksm_stable_node.hlist));
  set(fresh, ksm_stable_node.kpfn, kpage);
  if (place.equal) {
    let chain = (place.choice as Choice).node;
    if (!is_stable_node_chain(chain)) chain = alloc_stable_node_chain(chain, jiffies_msecs());
    if (chain === NULL) {
      free_stable_node(fresh);
      return NULL;
    }
    set_page_stable_node(kpage, fresh);
    stable_node_chain_add_dup(fresh, chain);
    return fresh;
  }
  set_page_stable_node(kpage, fresh);
  const node = addressOf(fresh, ksm_stable_node.node);
  rb_link_node(root_stable_tree, node, place.above, place.left);
  rb_insert_color(node, root_stable_tree);
  trace_stable_tree_insert(fresh);
  return fresh;
}

/** The item shares the page of `node` now; its reference on the anon_vma was taken. The lock of the page is held. */
export function stable_tree_append(item: Ptr<'ksm_rmap_item'>, node: Node): void {
  const first = hlist_empty(addressOf(node, ksm_stable_node.hlist));
  set(item, ksm_rmap_item.head, node);
  setUlong(item, ksm_rmap_item.address, getUlong(item, ksm_rmap_item.address) + STABLE_FLAG);
  trace_stable_flag(item, true);
  hlist_add_head(addressOf(item, ksm_rmap_item.hlist), addressOf(node, ksm_stable_node.hlist));
  const length = get(node, ksm_stable_node.rmap_hlist_len) + 1;
  set(node, ksm_stable_node.rmap_hlist_len, length);
  trace_hlist_add(item, length);
  count_shared(first, 1);
  count_merging(get(item, ksm_rmap_item.mm), 1);
}
