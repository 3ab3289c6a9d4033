/**
 * Which page of a stable node to merge with (mm/ksm.c, Linux 6.1).
 *
 * No page may have more than `max_page_sharing` sharers, or reverse mapping would take too long. A content with more of them has
 * several pages, whose nodes ("dups") hang on a chain. A chain offers a dup that has room; looking for one also removes stale dups.
 * All of it under ksm_thread_mutex.
 */
import { addressOf, containerOf, get, getUlong, setUlong } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { hlist_add_head, hlist_del, hlist_empty, hlist_head, hlist_node } from '../include/list.ts';
import { jiffies_msecs } from '../time.ts';
import { collapse_chain, free_stable_node_chain, GET_KSM_PAGE_NOLOCK, get_ksm_page, is_stable_node_chain } from './ksm-stable-node.ts';
import { KSM, ksm, ksm_stable_node } from './ksm-types.ts';
import { put_page } from './page_alloc.ts';

type Node = Ptr<'ksm_stable_node'>;
type Page = Ptr<'page'>;

/** What was found at a node of the tree; private to one search. */
export interface Choice {
  /** The node of the tree: a chain, or a node by itself. */
  node: Node;
  /** The node to merge with; NULL: none has room. */
  dup: Node;
  /** A page with the content of the node, referenced; NULL: the node is gone, look again from the root. */
  page: Page;
}

/** Has the node room for one more? @inline */
export function is_page_sharing_candidate(node: Node): boolean {
  return get(node, ksm_stable_node.rmap_hlist_len) < get(ksm, KSM.max_page_sharing);
}

/** Is it time to look at all dups of a chain? If so, the next time is set. @inline */
function prune_now(chain: Node): boolean {
  const now = jiffies_msecs();
  if (now - getUlong(chain, ksm_stable_node.chain_prune_time) < get(ksm, KSM.stable_node_chains_prune_millisecs)) return false;
  setUlong(chain, ksm_stable_node.chain_prune_time, now);
  return true;
}

/**
 * Looks for a dup with room: the first one, or when pruning the one with the most sharers, with all stale dups removed and a
 * chain of one dissolved. The dup found becomes the first of the chain, so that the next search ends sooner.
 */
function stable_node_dup(choice: Choice, prune: boolean): void {
  const chain = choice.node;
  const dups = addressOf(chain, ksm_stable_node.hlist);
  let alive = 0;
  let most = -1;
  for (let link = get(dups, hlist_head.first); link !== NULL; ) {
    const next = get(link, hlist_node.next);
    const dup = containerOf(link, ksm_stable_node.hlist_dup);
    link = next;
    const p = get_ksm_page(dup, GET_KSM_PAGE_NOLOCK);
    if (p === NULL) continue;
    alive++;
    const sharers = get(dup, ksm_stable_node.rmap_hlist_len);
    if (!is_page_sharing_candidate(dup) || sharers <= most) {
      put_page(p);
      continue;
    }
    if (choice.page !== NULL) put_page(choice.page);
    choice.page = p;
    choice.dup = dup;
    most = sharers;
    if (!prune) break;
  }
  const found = choice.dup;
  if (found === NULL) return;
  if (prune && alive === 1) {
    collapse_chain(chain, found);
    choice.node = found;
    return;
  }
  const link = addressOf(found, ksm_stable_node.hlist_dup);
  if (get(dups, hlist_head.first) !== link) {
    hlist_del(link);
    hlist_add_head(link, dups);
  }
}

/** A page of a full node or chain, to compare with; NULL when it was stale or the chain empty, which is removed then. @inline */
function page_of_full(choice: Choice): Page {
  let any = choice.node;
  if (is_stable_node_chain(any)) {
    const dups = addressOf(any, ksm_stable_node.hlist);
    if (hlist_empty(dups)) {
      free_stable_node_chain(any);
      return NULL;
    }
    any = containerOf(get(dups, hlist_head.first), ksm_stable_node.hlist_dup);
  }
  return get_ksm_page(any, GET_KSM_PAGE_NOLOCK);
}

/**
 * What the node of the tree offers.
 * @param prune  whether a chain may be pruned on the way
 */
export function stable_node_chain(node: Node, prune: boolean): Choice {
  const choice: Choice = { node, dup: NULL, page: NULL };
  if (is_stable_node_chain(node)) stable_node_dup(choice, prune && prune_now(node));
  else if (is_page_sharing_candidate(node)) {
    choice.dup = node;
    choice.page = get_ksm_page(node, GET_KSM_PAGE_NOLOCK);
    return choice;
  }
  if (choice.dup === NULL) choice.page = page_of_full(choice);
  return choice;
}
