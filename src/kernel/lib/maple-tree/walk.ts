/**
 * Reading: from the root to the leaf that holds an index. Every dereference of the root and of a slot goes through the
 * checks of RCU and of the tree's lock.
 */
import { bootOptions } from '../../../machine/boot.ts';
import { addressOf, get } from '../../../machine/door.ts';
import { NULL, type Ptr } from '../../../machine/layout.ts';
import { get as peek } from '../../../machine/plain.ts';
import { MT_FLAGS_ALLOC_RANGE, MT_FLAGS_LOCK_EXTERN, MT_FLAGS_LOCK_MASK, MT_FLAGS_USE_RCU, maple_tree } from '../../include/maple_tree.ts';
import { ULONG_MAX } from '../../include/mm_types.ts';
import { lock_is_held } from '../../locking/lockdep/held.ts';
import { spinlock_t } from '../../locking/spinlock.ts';
import { rcu_dereference_check, rcu_dereference_protected, rcu_read_lock_held } from '../../rcu.ts';
import { trace_root_deref } from '../../trace/trace-maple.ts';
import {
  ma_data_end,
  ma_dead_node,
  ma_parent_pointer,
  ma_pivot,
  ma_slot_min,
  mpp_is_root,
  mpp_node,
  mpp_slot,
  mte_find_slot,
  mte_is_leaf,
  mte_safe_root,
  mte_to_node,
  slotField,
  xa_is_node,
} from './node.ts';
import { MAS_PAUSE, MAS_ROOT, type ma_state } from './state.ts';

const LOCKDEP = bootOptions().lockdep !== 'off';

/** Is the lock that protects the tree held by this task: the external one, if the flags say so, else its own? For the validator. @inline */
export function mt_locked(mt: Ptr<'maple_tree'>): boolean {
  if ((peek(mt, maple_tree.ma_flags) & MT_FLAGS_LOCK_MASK) === MT_FLAGS_LOCK_EXTERN) {
    const map = peek(mt, maple_tree.ma_external_lock);
    return map === NULL || lock_is_held(map);
  }
  return lock_is_held(addressOf(addressOf(mt, maple_tree.ma_lock), spinlock_t.dep_map));
}

/** Do readers of this tree go without locks? @inline */
export function mt_in_rcu(mt: Ptr<'maple_tree'>): boolean {
  return (get(mt, maple_tree.ma_flags) & MT_FLAGS_USE_RCU) !== 0;
}

/** Does the tree track gaps? @inline */
export function mt_is_alloc(mt: Ptr<'maple_tree'>): boolean {
  return (get(mt, maple_tree.ma_flags) & MT_FLAGS_ALLOC_RANGE) !== 0;
}

/** The root for a reader. @inline */
export function mt_root(mt: Ptr<'maple_tree'>): number {
  trace_root_deref(mt);
  return rcu_dereference_check(mt, maple_tree.ma_root, !LOCKDEP || mt_locked(mt));
}

/** The root for a writer, who must hold the lock. @inline */
export function mt_root_locked(mt: Ptr<'maple_tree'>): number {
  return rcu_dereference_protected(mt, maple_tree.ma_root, !LOCKDEP || mt_locked(mt));
}

/** A slot for a reader. @inline */
export function mt_slot(mt: Ptr<'maple_tree'>, node: number, offset: number): number {
  return rcu_dereference_check(node as Ptr<'maple_node'>, slotField(offset), !LOCKDEP || rcu_read_lock_held() || mt_locked(mt));
}

/**
 * The entry at `index`, without a cursor. A node found dead sends the walk back to the root. @inline
 * @returns the entry or 0
 */
export function mtree_lookup_walk(mt: Ptr<'maple_tree'>, index: number): number {
  restart: for (;;) {
    const root = mt_root(mt);
    if (!xa_is_node(root)) return index === 0 ? root : 0;
    let enode = mte_safe_root(root);
    for (;;) {
      const node = mte_to_node(enode);
      const next = mt_slot(mt, node, mte_find_slot(enode, index));
      if (ma_dead_node(node)) continue restart;
      if (mte_is_leaf(enode)) return next;
      enode = next;
    }
  }
}

/** Puts the cursor on the range around `index` in a tree without nodes. @returns the entry @inline */
function mas_walk_root(mas: ma_state, root: number): number {
  mas.node = MAS_ROOT;
  mas.offset = 0;
  const alone = root !== 0;
  const first = mas.index === 0 && alone;
  mas.index = alone && !first ? 1 : 0;
  mas.last = first ? 0 : ULONG_MAX;
  return first ? root : 0;
}

/** Walks from the root to `mas.index` and puts the cursor on the range around it. @returns the entry or 0 @inline */
export function mas_state_walk(mas: ma_state): number {
  restart: for (;;) {
    const root = mt_root(mas.tree);
    if (!xa_is_node(root)) return mas_walk_root(mas, root);
    const index = mas.index;
    let enode = mte_safe_root(root);
    for (;;) {
      const node = mte_to_node(enode);
      const offset = mte_find_slot(enode, index);
      const next = mt_slot(mas.tree, node, offset);
      if (mte_is_leaf(enode)) {
        const first = ma_slot_min(node, offset);
        const last = ma_pivot(node, offset);
        if (ma_dead_node(node)) continue restart;
        mas.node = node;
        mas.offset = offset;
        mas.index = first;
        mas.last = last;
        return next;
      }
      if (ma_dead_node(node)) continue restart;
      enode = next;
    }
  }
}

/**
 * Goes to `mas.index`, or stays where the cursor is when that range holds it.
 * The lock of the tree or an RCU read section must be held.
 * @returns the entry at `index` or 0; `index`..`last` become the range around it, also for NULL
 */
export function mas_walk(mas: ma_state): number {
  if (mas.node > MAS_PAUSE) {
    const node = mas.node;
    const entry = mt_slot(mas.tree, node, mas.offset);
    const first = ma_slot_min(node, mas.offset);
    const last = ma_pivot(node, mas.offset);
    if (!ma_dead_node(node) && first <= mas.index && mas.index <= last) {
      mas.index = first;
      mas.last = last;
      return entry;
    }
  }
  return mas_state_walk(mas);
}

/** As {@link mas_walk}, for the entry only. @inline */
export function mas_load(mas: ma_state): number {
  return mas_walk(mas);
}

/** The node after `from` at its level, found through the parents; 0 at the end of the tree, -1 when a dead node was met. @inline */
export function mas_next_node(mt: Ptr<'maple_tree'>, from: number): number {
  let node = from;
  for (let up = 1; ; up++) {
    const pointer = ma_parent_pointer(node);
    if (mpp_is_root(pointer)) return 0;
    if (pointer === node) return -1;
    node = mpp_node(pointer);
    const slot = mpp_slot(pointer);
    if (slot >= ma_data_end(node)) continue;
    let child = mt_slot(mt, node, slot + 1);
    if (ma_dead_node(node)) return -1;
    for (; up > 1; up--) {
      node = mte_to_node(child);
      child = mt_slot(mt, node, 0);
      if (ma_dead_node(node)) return -1;
    }
    return mte_to_node(child);
  }
}

/** The node before `from` at its level; 0 at the start of the tree, -1 when a dead node was met. @inline */
export function mas_prev_node(mt: Ptr<'maple_tree'>, from: number): number {
  let node = from;
  for (let up = 1; ; up++) {
    const pointer = ma_parent_pointer(node);
    if (mpp_is_root(pointer)) return 0;
    if (pointer === node) return -1;
    node = mpp_node(pointer);
    const slot = mpp_slot(pointer);
    if (slot === 0) continue;
    let child = mt_slot(mt, node, slot - 1);
    if (ma_dead_node(node)) return -1;
    for (; up > 1; up--) {
      node = mte_to_node(child);
      child = mt_slot(mt, node, ma_data_end(node));
      if (ma_dead_node(node)) return -1;
    }
    return mte_to_node(child);
  }
}
