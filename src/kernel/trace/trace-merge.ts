/** Tracepoints of merging: pages, trees, counters. The address is the object's of which the value is told. @notrace */
import { announce, announceSync } from '../../machine/announce.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import {
  EV_ALLOC,
  EV_CLEAR_FLAG,
  EV_DEC,
  EV_FREE,
  EV_INC,
  EV_LIST_ADD,
  EV_LIST_DEL,
  EV_LOCK,
  EV_SET,
  EV_SET_FLAG,
  EV_TREE_ERASE,
  EV_TREE_INSERT,
  EV_UNLOCK,
  OBJ_ANON_VMA_REF,
  OBJ_KSM_MERGING_PAGES,
  OBJ_KSM_PAGES_SHARED,
  OBJ_KSM_PAGES_SHARING,
  OBJ_KSM_PAGES_UNSHARED,
  OBJ_OOM_VICTIM,
  OBJ_PAGE,
  OBJ_PAGE_LOCK,
  OBJ_PAGE_STABLE_NODE,
  OBJ_RMAP_ITEM_STABLE,
  OBJ_RMAP_ITEM_UNSTABLE,
  OBJ_STABLE_NODE,
  OBJ_STABLE_NODE_HLIST,
  OBJ_STABLE_TREE,
  OBJ_UNSTABLE_TREE,
} from './vocabulary.ts';

type Item = Ptr<'ksm_rmap_item'>;
type Node = Ptr<'ksm_stable_node'>;
type Page = Ptr<'page'>;

export function trace_page_lock(p: Page): void {
  announceSync(EV_LOCK, OBJ_PAGE_LOCK, p, 0, p);
}
export function trace_page_unlock(p: Page): void {
  announceSync(EV_UNLOCK, OBJ_PAGE_LOCK, p, 0, p);
}
/** The last reference is gone. */
export function trace_page_free(p: Page): void {
  announce(EV_FREE, OBJ_PAGE, p, 0);
}
/** @param value  1: points to its stable node, 0: a KSM page without one */
export function trace_page_stable_node(p: Page, value: number): void {
  announce(EV_SET, OBJ_PAGE_STABLE_NODE, p, value);
}
/** @param value  references after the step */
export function trace_anon_vma_get(av: Ptr<'anon_vma'>, value: number): void {
  announce(EV_INC, OBJ_ANON_VMA_REF, av, value);
}
export function trace_anon_vma_put(av: Ptr<'anon_vma'>, value: number): void {
  announce(EV_DEC, OBJ_ANON_VMA_REF, av, value);
}
export function trace_stable_node_alloc(node: Node): void {
  announce(EV_ALLOC, OBJ_STABLE_NODE, node, 0);
}
export function trace_stable_node_free(node: Node): void {
  announce(EV_FREE, OBJ_STABLE_NODE, node, 0);
}
export function trace_stable_tree_insert(node: Node): void {
  announce(EV_TREE_INSERT, OBJ_STABLE_TREE, node, 0);
}
export function trace_unstable_tree_insert(item: Item): void {
  announce(EV_TREE_INSERT, OBJ_UNSTABLE_TREE, item, 0);
}
export function trace_unstable_tree_erase(item: Item): void {
  announce(EV_TREE_ERASE, OBJ_UNSTABLE_TREE, item, 0);
}
export function trace_unstable_flag(item: Item, on: boolean): void {
  announce(on ? EV_SET_FLAG : EV_CLEAR_FLAG, OBJ_RMAP_ITEM_UNSTABLE, item, 0);
}
export function trace_stable_flag(item: Item, on: boolean): void {
  announce(on ? EV_SET_FLAG : EV_CLEAR_FLAG, OBJ_RMAP_ITEM_STABLE, item, 0);
}
/** @param length  rmap_items on the node after the step */
export function trace_hlist_add(item: Item, length: number): void {
  announce(EV_LIST_ADD, OBJ_STABLE_NODE_HLIST, item, length);
}
export function trace_hlist_del(item: Item, length: number): void {
  announce(EV_LIST_DEL, OBJ_STABLE_NODE_HLIST, item, length);
}
/** @param value  the counter after the step */
export function trace_pages_shared(up: boolean, value: number): void {
  announce(up ? EV_INC : EV_DEC, OBJ_KSM_PAGES_SHARED, NULL, value);
}
export function trace_pages_sharing(up: boolean, value: number): void {
  announce(up ? EV_INC : EV_DEC, OBJ_KSM_PAGES_SHARING, NULL, value);
}
export function trace_pages_unshared(up: boolean, value: number): void {
  announce(up ? EV_INC : EV_DEC, OBJ_KSM_PAGES_UNSHARED, NULL, value);
}
export function trace_merging_pages(up: boolean, mm: Ptr<'mm_struct'>, value: number): void {
  announce(up ? EV_INC : EV_DEC, OBJ_KSM_MERGING_PAGES, mm, value);
}
/** The OOM killer chose a task. */
export function trace_mark_victim(mm: Ptr<'mm_struct'>): void {
  announce(EV_SET_FLAG, OBJ_OOM_VICTIM, mm, 0);
}
