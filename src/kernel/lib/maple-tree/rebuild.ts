/**
 * Structural writes: a piece of the tree is built anew beside it and put in with one store.
 *
 * A write that does not fit its leaf, leaves too little in it, spans several leaves, or must not be seen half done by
 * RCU readers, goes level by level from the leaves up. On each level the slots that remain are gathered on the workbench (big-node.ts),
 * balanced with a neighbour when they are too many or too few, and dealt out to new nodes; these are the slots of the next
 * level. It ends where a parent takes the new nodes in:
 *
 * | end | when | the one store |
 * |---|---|---|
 * | a slot | one new node covers what one old node covered | the parent's slot |
 * | in place | no RCU readers, and the new slots fit the parent | (the writer is alone: many stores) |
 * | the root | the top was reached | ma_root |
 *
 * Until then nothing of the tree has changed, so a failed allocation needs no repair. After it the old children that stay
 * learn their new parents, and the replaced nodes are marked dead and freed.
 * A reader that is in the old piece still sees the tree as it was before the store; every lookup is before or after.
 * @notrace
 */
import { get, set } from '../../../machine/door.ts';
import type { Ptr } from '../../../machine/layout.ts';
import { MT_FLAGS_ALLOC_RANGE, MT_FLAGS_HEIGHT_MASK, MT_FLAGS_HEIGHT_OFFSET, maple_tree } from '../../include/maple_tree.ts';
import { rcu_assign_pointer } from '../../rcu.ts';
import {
  mab_add_made,
  mab_count,
  mab_gap,
  mab_made,
  mab_made_count,
  mab_pivot,
  mab_push,
  mab_push_node,
  mab_replaced_first,
  mab_replaced_last,
  mab_set_count,
  mab_set_replaced,
  mab_shift,
  mab_slot,
} from './big-node.ts';
import { ma_leaf_max_gap, ma_max_gap, ma_widest_slot, mas_parent_gap } from './gap-update.ts';
import {
  ma_data_end,
  ma_free_rcu,
  ma_is_unplaced,
  ma_max,
  ma_min,
  ma_pad_pivots,
  ma_parent_pointer,
  ma_set_gap,
  ma_set_meta,
  ma_set_min,
  ma_set_parent,
  ma_set_pivot,
  ma_set_root_parent,
  ma_set_slot,
  ma_slot,
  maple_arange_64,
  maple_leaf_64,
  maple_range_64,
  mpp_is_root,
  mpp_node,
  mpp_slot,
  mt_free_one,
  mt_min_slots,
  mt_mk_node,
  mt_slots,
  mte_is_leaf,
  mte_mk_root,
  mte_to_node,
  slotField,
} from './node.ts';
import { type ma_state, mas_alloc_node, mas_free_node } from './state.ts';
import { mt_in_rcu } from './walk.ts';

/** How the slots of two nodes are dealt out. */
const EVEN = 0;
/** The first gets as much as it holds: the tree grows at its end. */
const FILL_LEFT = 1;
/** The second gets as much as it holds: the tree grows at its start. */
const FILL_RIGHT = 2;

/** Levels of nodes. @inline */
export function mt_height(mt: Ptr<'maple_tree'>): number {
  return (get(mt, maple_tree.ma_flags) & MT_FLAGS_HEIGHT_MASK) >> MT_FLAGS_HEIGHT_OFFSET;
}
/** @inline */
export function mt_set_height(mt: Ptr<'maple_tree'>, height: number): void {
  set(mt, maple_tree.ma_flags, (get(mt, maple_tree.ma_flags) & ~MT_FLAGS_HEIGHT_MASK) | (height << MT_FLAGS_HEIGHT_OFFSET));
}
/** Kind of the inner nodes of a tree. @inline */
export function mt_inner_type(mt: Ptr<'maple_tree'>): number {
  return (get(mt, maple_tree.ma_flags) & MT_FLAGS_ALLOC_RANGE) !== 0 ? maple_arange_64 : maple_range_64;
}

/** The node after another on its level, for writers; 0: none. */
export function ma_next_node(from: number): number {
  let node = from;
  for (let up = 1; ; up++) {
    const pointer = ma_parent_pointer(node);
    if (mpp_is_root(pointer)) return 0;
    node = mpp_node(pointer);
    if (mpp_slot(pointer) >= ma_data_end(node)) continue;
    node = mte_to_node(ma_slot(node, mpp_slot(pointer) + 1));
    for (; up > 1; up--) node = mte_to_node(ma_slot(node, 0));
    return node;
  }
}

/** The node before another on its level, for writers; 0: none. */
export function ma_prev_node(from: number): number {
  let node = from;
  for (let up = 1; ; up++) {
    const pointer = ma_parent_pointer(node);
    if (mpp_is_root(pointer)) return 0;
    node = mpp_node(pointer);
    if (mpp_slot(pointer) === 0) continue;
    node = mte_to_node(ma_slot(node, mpp_slot(pointer) - 1));
    for (; up > 1; up--) node = mte_to_node(ma_slot(node, ma_data_end(node)));
    return node;
  }
}

/** The widest gap of a node of this kind; 0 where gaps are not tracked. @inline */
function nodeGap(enode: number, inner: number): number {
  if (inner !== maple_arange_64) return 0;
  return mte_is_leaf(enode) ? ma_leaf_max_gap(mte_to_node(enode)) : ma_max_gap(mte_to_node(enode));
}

/** Copies slots `from`..`to` of the workbench into a node, from its slot 0 on. @inline */
function fillNode(bn: number, node: number, type: number, from: number, to: number): void {
  for (let i = from; i <= to; i++) {
    ma_set_slot(node, i - from, mab_slot(bn, i));
    ma_set_pivot(node, i - from, mab_pivot(bn, i));
    if (type === maple_arange_64) ma_set_gap(node, i - from, mab_gap(bn, i));
  }
  ma_pad_pivots(node, to - from + 1, mt_slots(type));
  ma_set_meta(node, to - from, type === maple_arange_64 ? ma_widest_slot(node, to - from) : 0);
}

/** How many of `rest` slots the next of `nodes` nodes gets. A leaf never ends with NULL. */
function dealSize(bn: number, type: number, at: number, rest: number, nodes: number, mode: number): number {
  if (nodes === 1) return rest;
  const cap = mt_slots(type);
  const least = mt_min_slots(type);
  let count = Math.ceil(rest / nodes);
  if (mode === FILL_LEFT) count = Math.min(cap, rest - least);
  else if (mode === FILL_RIGHT) count = Math.max(least, rest - cap + (type === maple_leaf_64 ? 1 : 0));
  if (type !== maple_leaf_64 || mab_slot(bn, at + count - 1) !== 0) return count;
  return count < cap && rest - count > 1 ? count + 1 : count - 1;
}

/** Deals the workbench out to new nodes that begin at `min`. @returns the number of nodes, 0 without memory */
function dealOut(mas: ma_state, bn: number, type: number, min: number, mode: number): number {
  const cap = mt_slots(type);
  const count = mab_count(bn);
  // In leaves one slot per boundary is kept free, so that a NULL at a boundary can move over it.
  const spare = type === maple_leaf_64 ? 1 : 0;
  let nodes = 1;
  while (count > nodes * cap - (nodes - 1) * spare) nodes++;
  const how = nodes === 2 ? mode : EVEN;
  let at = 0;
  let first = min;
  for (let left = nodes; left > 0; left--) {
    const size = dealSize(bn, type, at, count - at, left, how);
    const node = mas_alloc_node(mas);
    if (node === 0) return 0;
    fillNode(bn, node, type, at, at + size - 1);
    ma_set_min(node, first);
    mab_add_made(bn, mt_mk_node(node, type));
    at += size;
    first = mab_pivot(bn, at - 1) + 1;
  }
  return nodes;
}

/** Takes back what a failed write has made. @returns false */
function undo(bn: number): boolean {
  for (let i = 0; i < mab_made_count(bn); i++) mt_free_one(mte_to_node(mab_made(bn, i)));
  return false;
}

/** Tells the children of the new nodes who their parent is: all of them, or only those that are new themselves. */
function adopt(bn: number, newOnly: boolean): void {
  for (let i = 0; i < mab_made_count(bn); i++) {
    const enode = mab_made(bn, i);
    if (mte_is_leaf(enode)) continue;
    const node = mte_to_node(enode);
    const end = ma_data_end(node);
    for (let s = 0; s <= end; s++) {
      const child = mte_to_node(ma_slot(node, s));
      if (!newOnly || ma_is_unplaced(child)) ma_set_parent(child, node, s);
    }
  }
}

/** Frees the replaced nodes of all levels, from the leaves up (the way along a level leads over the levels above). */
function freeReplaced(mas: ma_state, bn: number, levels: number, rcu: boolean): void {
  for (let level = 0; level < levels; level++) {
    const last = mab_replaced_last(bn, level);
    let node = mab_replaced_first(bn, level);
    for (;;) {
      const next = node === last ? 0 : ma_next_node(node);
      if (rcu) ma_free_rcu(node);
      else mas_free_node(mas, node);
      if (next === 0) break;
      node = next;
    }
  }
}

/** Ends a write at the root. @param root  encoded */
function commitRoot(mas: ma_state, bn: number, root: number, height: number, levels: number): void {
  const mt = mas.tree;
  adopt(bn, true);
  ma_set_root_parent(mte_to_node(root), mt);
  mt_set_height(mt, height);
  rcu_assign_pointer(mt, maple_tree.ma_root, mte_mk_root(root));
  adopt(bn, false);
  freeReplaced(mas, bn, levels, mt_in_rcu(mt));
}

/** Ends a write with one new node in place of one old one. */
function commitSlot(mas: ma_state, bn: number, parent: number, slot: number, enode: number, levels: number): void {
  const node = mte_to_node(enode);
  adopt(bn, true);
  ma_set_parent(node, parent, slot);
  rcu_assign_pointer(parent as Ptr<'maple_node'>, slotField(slot), enode);
  adopt(bn, false);
  freeReplaced(mas, bn, levels, mt_in_rcu(mas.tree));
  const inner = mt_inner_type(mas.tree);
  if (inner === maple_arange_64) mas_parent_gap(node, nodeGap(enode, inner));
}

/** Ends a write by changing `parent`, from `slot` on, into what is on the workbench. Only without RCU readers. */
function commitInPlace(mas: ma_state, bn: number, parent: number, slot: number, levels: number): void {
  const inner = mt_inner_type(mas.tree);
  adopt(bn, false);
  freeReplaced(mas, bn, levels, false);
  const end = mab_count(bn) - 1;
  ma_pad_pivots(parent, end + 1, ma_data_end(parent) + 1);
  for (let i = slot; i <= end; i++) {
    ma_set_slot(parent, i, mab_slot(bn, i));
    ma_set_pivot(parent, i, mab_pivot(bn, i));
    if (inner === maple_arange_64) ma_set_gap(parent, i, mab_gap(bn, i));
    ma_set_parent(mte_to_node(mab_slot(bn, i)), parent, i);
  }
  if (inner !== maple_arange_64) {
    ma_set_meta(parent, end, 0);
    return;
  }
  ma_set_meta(parent, end, ma_widest_slot(parent, end));
  mas_parent_gap(parent, ma_max_gap(parent));
}

/** Slots of the node at `slot` of `parent`. @inline */
function slotsOfChild(parent: number, slot: number): number {
  return ma_data_end(mte_to_node(ma_slot(parent, slot))) + 1;
}

/**
 * Chooses a neighbour to share with, for `count` slots of the nodes `a`..`b`: -1 the node before, 1 the node after, 0 none.
 * Too many: a neighbour under the same parent that has room. Too few: a neighbour, under the same parent if possible.
 */
function neighbour(a: number, b: number, type: number, count: number): number {
  const before = ma_parent_pointer(a);
  const after = ma_parent_pointer(b);
  const hasBefore = mpp_slot(before) > 0;
  const hasAfter = mpp_slot(after) < ma_data_end(mpp_node(after));
  if (count < mt_min_slots(type)) {
    if (hasBefore) return -1;
    if (hasAfter) return 1;
    if (ma_prev_node(a) !== 0) return -1;
    return ma_next_node(b) !== 0 ? 1 : 0;
  }
  const cap = mt_slots(type);
  if (count <= cap || a !== b) return 0;
  if (hasBefore && slotsOfChild(mpp_node(before), mpp_slot(before) - 1) + count < 2 * cap) return -1;
  if (hasAfter && slotsOfChild(mpp_node(after), mpp_slot(after) + 1) + count < 2 * cap) return 1;
  return 0;
}

/**
 * Replaces the leaves `left`..`right` by what is on the workbench.
 * @param grows  FILL_LEFT when the new entry is at the end of the workbench, FILL_RIGHT when at its start, else EVEN
 * @returns false when memory is out; the tree is as it was then
 */
export function mas_rebuild(mas: ma_state, bn: number, left: number, right: number, grows: number): boolean {
  const mt = mas.tree;
  const inner = mt_inner_type(mt);
  const rcu = mt_in_rcu(mt);
  let type = maple_leaf_64;
  let first = left;
  let last = right;
  let mode = grows;
  let height = 0;
  for (let level = 0; ; level++) {
    const top = mpp_is_root(ma_parent_pointer(first));
    const overfull = mab_count(bn) > mt_slots(type);
    const share = top ? 0 : neighbour(first, last, type, mab_count(bn));
    if (level > 0 && share === 0 && mab_count(bn) === 1) {
      // The one node below is all that is left: it becomes the root, and all levels from here up go away.
      mab_set_replaced(bn, level, first, last);
      if (top) {
        commitRoot(mas, bn, mab_slot(bn, 0), height, level + 1);
        return true;
      }
      first = mpp_node(ma_parent_pointer(first));
      last = mpp_node(ma_parent_pointer(last));
      continue;
    }
    height = level + 1;
    if (share < 0) {
      first = ma_prev_node(first);
      const more = ma_data_end(first) + 1;
      const count = mab_count(bn);
      mab_shift(bn, more);
      mab_set_count(bn, 0);
      mab_push_node(bn, first, 0, more - 1);
      mab_set_count(bn, count + more);
    } else if (share > 0) {
      last = ma_next_node(last);
      mab_push_node(bn, last, 0, ma_data_end(last));
    }
    if (level > 0 && !rcu && share === 0 && first === last && mab_count(bn) <= mt_slots(type)) {
      commitInPlace(mas, bn, first, 0, level);
      return true;
    }
    // Filling one node up pays only with a neighbour to fill; a node alone is split in the middle.
    const made = mab_made_count(bn);
    const nodes = dealOut(mas, bn, type, ma_min(first), share !== 0 && overfull ? mode : EVEN);
    if (nodes === 0) return undo(bn);
    mab_set_replaced(bn, level, first, last);
    if (top) {
      if (nodes === 1) {
        commitRoot(mas, bn, mab_made(bn, made), height, level + 1);
        return true;
      }
      mab_set_count(bn, 0);
      pushMade(bn, made, inner);
      const root = dealOut(mas, bn, inner, 0, EVEN);
      if (root === 0) return undo(bn);
      commitRoot(mas, bn, mab_made(bn, made + nodes), height + 1, level + 1);
      return true;
    }
    const before = ma_parent_pointer(first);
    const after = ma_parent_pointer(last);
    first = mpp_node(before);
    last = mpp_node(after);
    if (nodes === 1 && before === after) {
      commitSlot(mas, bn, first, mpp_slot(before), mab_made(bn, made), level + 1);
      return true;
    }
    mab_set_count(bn, 0);
    mab_push_node(bn, first, 0, mpp_slot(before) - 1);
    pushMade(bn, made, inner);
    mode = mpp_slot(after) === ma_data_end(last) ? FILL_LEFT : mab_count(bn) <= nodes ? FILL_RIGHT : EVEN;
    mab_push_node(bn, last, mpp_slot(after) + 1, ma_data_end(last));
    type = inner;
  }
}

/** Adds the nodes made since `from` as slots of the level above. @inline */
function pushMade(bn: number, from: number, inner: number): void {
  const made = mab_made_count(bn);
  for (let i = from; i < made; i++) {
    const enode = mab_made(bn, i);
    mab_push(bn, ma_max(mte_to_node(enode)), enode, nodeGap(enode, inner));
  }
}
