/**
 * Destroying a tree: the root is taken out, all nodes are freed, and the flags become 0. With the flags goes the knowledge
 * which lock protects the tree: a reader that comes later is checked against the tree's own lock (see mt_locked).
 */
import { addressOf, get, set } from '../../../machine/door.ts';
import type { Ptr } from '../../../machine/layout.ts';
import { maple_tree } from '../../include/maple_tree.ts';
import { spin_lock, spin_unlock } from '../../locking/spinlock.ts';
import { call_rcu, rcu_assign_pointer, rcu_callback } from '../../rcu.ts';
import { trace_nodes_freed, trace_root_cleared, trace_tree_destroyed } from '../../trace/trace-maple.ts';
import {
  ma_data_end,
  ma_free_rcu,
  ma_mark_dead,
  ma_slot,
  maple_node,
  mt_free_one,
  mte_is_leaf,
  mte_safe_root,
  mte_to_node,
  xa_is_node,
} from './node.ts';
import { mt_in_rcu, mt_root_locked } from './walk.ts';

/** Frees the nodes below an inner node, and that node. @notrace */
function mt_destroy_walk(node: number): void {
  const end = ma_data_end(node);
  for (let i = 0; i <= end; i++) {
    const child = ma_slot(node, i);
    if (mte_is_leaf(child)) mt_free_one(mte_to_node(child));
    else mt_destroy_walk(mte_to_node(child));
  }
  mt_free_one(node);
}

/** Marks a subtree dead, so that cursors in it go back to the root. @notrace */
function mt_mark_dead(enode: number): void {
  const node = mte_to_node(enode);
  if (!mte_is_leaf(enode)) {
    const end = ma_data_end(node);
    for (let i = 0; i <= end; i++) mt_mark_dead(ma_slot(node, i));
  }
  ma_mark_dead(node);
}

const mt_free_walk = rcu_callback('mt_free_walk', (head) => mt_destroy_walk(head - (maple_node.rcu as number)));

/** Frees all nodes of a tree whose root was taken out: now, or with RCU readers after a grace period. @param root  encoded @notrace */
export function mt_free_tree(root: number, rcu: boolean): void {
  const node = mte_to_node(root);
  if (!rcu) {
    if (mte_is_leaf(root)) mt_free_one(node);
    else mt_destroy_walk(node);
    return;
  }
  if (mte_is_leaf(root)) {
    ma_free_rcu(node);
    return;
  }
  mt_mark_dead(root);
  call_rcu((node + (maple_node.rcu as number)) as Ptr<'rcu_head'>, mt_free_walk);
}

/** Frees the nodes below `root` of a tree that is being destroyed. @param root  encoded */
export function mte_destroy_walk(root: number, mt: Ptr<'maple_tree'>): void {
  trace_nodes_freed(mt);
  mt_free_tree(root, mt_in_rcu(mt));
}

/** Destroys a tree: no entries, no nodes, no flags. The writers' lock must be held. */
export function __mt_destroy(mt: Ptr<'maple_tree'>): void {
  const root = mt_root_locked(mt);
  const flags = get(mt, maple_tree.ma_flags);
  rcu_assign_pointer(mt, maple_tree.ma_root, 0);
  trace_root_cleared(mt);
  if (xa_is_node(root)) mte_destroy_walk(mte_safe_root(root), mt);
  set(mt, maple_tree.ma_flags, 0);
  trace_tree_destroyed(mt, flags);
}

/** As {@link __mt_destroy}, under the tree's own lock. */
export function mtree_destroy(mt: Ptr<'maple_tree'>): void {
  spin_lock(addressOf(mt, maple_tree.ma_lock));
  __mt_destroy(mt);
  spin_unlock(addressOf(mt, maple_tree.ma_lock));
}
