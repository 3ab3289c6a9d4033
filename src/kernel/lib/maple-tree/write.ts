/**
 * Writing: `entry` over `index`..`last`. A write finds its leaf (and the one where it ends), and then takes the cheapest way:
 *
 * | way | when |
 * |---|---|
 * | nothing | NULL over NULL |
 * | one slot | exactly one range is overwritten, and no NULL meets another |
 * | in the leaf | no RCU readers, one leaf, and it holds the result (mas_wr_in_leaf) |
 * | a new tree | there are no nodes yet, or everything becomes NULL (mas_wr_root) |
 * | structural | everything else (rebuild.ts) |
 *
 * A write of NULL is first extended over the NULLs beside it; when it reaches the end of its leaf it is taken into the next
 * one, so that NULL ranges are always whole. The lock of the tree must be held by a writer.
 * @notrace
 */
import { get } from '../../../machine/door.ts';
import type { Ptr } from '../../../machine/layout.ts';
import { EINVAL, ENOMEM } from '../../include/errno.ts';
import { MT_FLAGS_ALLOC_RANGE, maple_tree } from '../../include/maple_tree.ts';
import { ULONG_MAX } from '../../include/mm_types.ts';
import { rcu_assign_pointer } from '../../rcu.ts';
import { mab_begin, mab_count, mab_push, mab_push_node } from './big-node.ts';
import { mt_free_tree } from './destroy.ts';
import { ma_leaf_max_gap, mas_parent_gap } from './gap-update.ts';
import {
  entryLooksLikeNode,
  MAPLE_RANGE64_SLOTS,
  ma_data_end,
  ma_max,
  ma_pad_pivots,
  ma_parent_pointer,
  ma_pivot,
  ma_range_slot,
  ma_set_meta,
  ma_set_min,
  ma_set_pivot,
  ma_set_root_parent,
  ma_set_slot,
  ma_slot,
  ma_slot_min,
  maple_leaf_64,
  mpp_is_root,
  mt_min_slots,
  mt_mk_node,
  mte_find_slot,
  mte_is_leaf,
  mte_mk_root,
  mte_safe_root,
  mte_to_node,
  slotField,
  xa_is_node,
} from './node.ts';
import { ma_next_node, mas_rebuild, mt_set_height } from './rebuild.ts';
import { MAS_PAUSE, type ma_state, mas_alloc_node } from './state.ts';
import { mt_in_rcu, mt_root_locked } from './walk.ts';

const EVEN = 0;
const FILL_LEFT = 1;
const FILL_RIGHT = 2;
const LEAF_MIN = mt_min_slots(maple_leaf_64);

/** The leaf that holds `index`, for writers. @param enode  encoded root @inline */
function findLeaf(root: number, index: number): number {
  let enode = root;
  while (!mte_is_leaf(enode)) enode = ma_slot(mte_to_node(enode), mte_find_slot(enode, index));
  return mte_to_node(enode);
}

/** @inline */
function tracksGaps(mt: Ptr<'maple_tree'>): boolean {
  return (get(mt, maple_tree.ma_flags) & MT_FLAGS_ALLOC_RANGE) !== 0;
}

/** A write to a tree without nodes: `ma_root` holds NULL or the entry of index 0. @inline */
function mas_wr_root(mas: ma_state, root: number, first: number, last: number, entry: number): boolean {
  const mt = mas.tree;
  if (entry === 0) {
    if (first === 0 && root !== 0) rcu_assign_pointer(mt, maple_tree.ma_root, 0);
    return true;
  }
  if (last === 0 && !entryLooksLikeNode(entry)) {
    rcu_assign_pointer(mt, maple_tree.ma_root, entry);
    return true;
  }
  const node = mas_alloc_node(mas);
  if (node === 0) return false;
  let count = 0;
  if (first > 0 && root !== 0) count = putSlot(node, count, 0, root);
  if (first > count) count = putSlot(node, count, first - 1, 0);
  count = putSlot(node, count, last, entry);
  if (last < ULONG_MAX) count = putSlot(node, count, ULONG_MAX, 0);
  ma_pad_pivots(node, count, MAPLE_RANGE64_SLOTS);
  ma_set_meta(node, count - 1, 0);
  ma_set_min(node, 0);
  ma_set_root_parent(node, mt);
  mt_set_height(mt, 1);
  rcu_assign_pointer(mt, maple_tree.ma_root, mte_mk_root(mt_mk_node(node, maple_leaf_64)));
  return true;
}

/** Fills slot `i`; gives the number of the next. @inline */
function putSlot(node: number, i: number, pivot: number, entry: number): number {
  ma_set_slot(node, i, entry);
  ma_set_pivot(node, i, pivot);
  return i + 1;
}

/** Everything becomes NULL. @inline */
function mas_wr_clear(mas: ma_state, root: number): boolean {
  const mt = mas.tree;
  rcu_assign_pointer(mt, maple_tree.ma_root, 0);
  mt_set_height(mt, 0);
  mt_free_tree(root, mt_in_rcu(mt));
  return true;
}

/**
 * Changes one leaf where it stands: slots `from`..`to` become what is left of the first in front of `first`, the entry, and what is left of the last behind `last`.
 */
function mas_wr_in_leaf(leaf: number, from: number, to: number, first: number, last: number, entry: number): void {
  const end = ma_data_end(leaf);
  const restPivot = ma_pivot(leaf, to);
  const rest = restPivot > last;
  const restSlot = ma_slot(leaf, to);
  let at = ma_slot_min(leaf, from) < first ? from + 1 : from;
  const shift = at + (rest ? 2 : 1) - (to + 1);
  if (shift > 0) for (let i = end; i > to; i--) putSlot(leaf, i + shift, ma_pivot(leaf, i), ma_slot(leaf, i));
  else if (shift < 0) for (let i = to + 1; i <= end; i++) putSlot(leaf, i + shift, ma_pivot(leaf, i), ma_slot(leaf, i));
  if (at > from) ma_set_pivot(leaf, from, first - 1);
  at = putSlot(leaf, at, last, entry);
  if (rest) putSlot(leaf, at, restPivot, restSlot);
  if (shift < 0) ma_pad_pivots(leaf, end + shift + 1, end + 1);
  ma_set_meta(leaf, end + shift, 0);
}

/** Tells the ancestors of a leaf about its gaps. @inline */
function updateGap(mt: Ptr<'maple_tree'>, leaf: number): void {
  if (tracksGaps(mt)) mas_parent_gap(leaf, ma_leaf_max_gap(leaf));
}

/** Gathers what the leaves `left`..`right` hold after the write and has it built in. @inline */
function mas_wr_structural(
  mas: ma_state,
  left: number,
  from: number,
  right: number,
  to: number,
  first: number,
  last: number,
  entry: number,
): boolean {
  const bn = mab_begin();
  mab_push_node(bn, left, 0, from - 1);
  if (ma_slot_min(left, from) < first) mab_push(bn, first - 1, ma_slot(left, from), 0);
  const at = mab_count(bn);
  mab_push(bn, last, entry, 0);
  if (to >= 0 && ma_pivot(right, to) > last) mab_push(bn, ma_pivot(right, to), ma_slot(right, to), 0);
  mab_push_node(bn, right, to + 1, ma_data_end(right));
  const grows = at + 2 >= mab_count(bn) ? FILL_LEFT : at <= 1 ? FILL_RIGHT : EVEN;
  return mas_rebuild(mas, bn, left, right, grows);
}

/**
 * Stores over `mas.index`..`mas.last`, which may be extended when `entry` is NULL. @returns false when memory is out;
 * nothing has changed then
 */
function mas_wr_store(mas: ma_state, entry: number): boolean {
  const mt = mas.tree;
  let first = mas.index;
  let last = mas.last;
  let root = mt_root_locked(mt);
  if (!xa_is_node(root)) return mas_wr_root(mas, root, first, last, entry);
  root = mte_safe_root(root);
  const left = findLeaf(root, first);
  let from = ma_range_slot(left, first);
  let right = last <= ma_max(left) ? left : findLeaf(root, last);
  let to = ma_range_slot(right, last);
  if (entry === 0) {
    if (ma_slot(left, from) === 0) first = ma_slot_min(left, from);
    else if (from > 0 && ma_slot(left, from - 1) === 0 && ma_slot_min(left, from) === first) first = ma_slot_min(left, --from);
    if (ma_slot(right, to) === 0) last = ma_pivot(right, to);
    else if (ma_pivot(right, to) === last && last !== ULONG_MAX) {
      if (to === ma_data_end(right)) {
        right = ma_next_node(right);
        to = -1;
      }
      if (ma_slot(right, to + 1) === 0) last = ma_pivot(right, ++to);
    }
    if (first === 0 && last === ULONG_MAX) return mas_wr_clear(mas, root);
  }
  if (left === right && to >= 0) {
    if (from === to && ma_slot_min(left, from) === first && ma_pivot(left, to) === last) {
      const before = ma_slot(left, from);
      if (before === entry) return true;
      rcu_assign_pointer(left as Ptr<'maple_node'>, slotField(from), entry);
      if (before === 0 || entry === 0) updateGap(mt, left);
      return true;
    }
    if (!mt_in_rcu(mt)) {
      const kept = (ma_slot_min(left, from) < first ? 1 : 0) + (ma_pivot(left, to) > last ? 1 : 0);
      const slots = ma_data_end(left) + 1 + kept - (to - from);
      if (slots <= MAPLE_RANGE64_SLOTS && (slots >= LEAF_MIN || mpp_is_root(ma_parent_pointer(left)))) {
        mas_wr_in_leaf(left, from, to, first, last, entry);
        updateGap(mt, left);
        return true;
      }
    }
  }
  return mas_wr_structural(mas, left, from, right, to, first, last, entry);
}

/**
 * Stores `entry` over `index`..`last`; the cursor is then on that range. The writers' lock must be held.
 * @returns 0, -EINVAL when index is above last, -ENOMEM (nothing has changed then)
 */
export function mas_store_gfp(mas: ma_state, entry: number): number {
  if (mas.index > mas.last) return -EINVAL;
  if (!mas_wr_store(mas, entry)) return -ENOMEM;
  mas.node = MAS_PAUSE;
  return 0;
}

/**
 * As {@link mas_store_gfp}, for stores whose memory is there already (mas_expected_entries).
 * @returns the entry that `index` had; -EINVAL, -ENOMEM
 */
export function mas_store(mas: ma_state, entry: number): number {
  const root = mt_root_locked(mas.tree);
  let before = mas.index === 0 ? root : 0;
  if (xa_is_node(root)) {
    const leaf = findLeaf(mte_safe_root(root), mas.index);
    before = ma_slot(leaf, ma_range_slot(leaf, mas.index));
  }
  const error = mas_store_gfp(mas, entry);
  return error === 0 ? before : error;
}

/**
 * Removes the whole range that the cursor is on, or that holds `index`: it becomes NULL. The cursor stays where it was.
 * @returns its entry, 0 when there was none; -ENOMEM when memory is out
 */
export function mas_erase(mas: ma_state): number {
  const mt = mas.tree;
  const root = mt_root_locked(mt);
  let entry = 0;
  if (xa_is_node(root)) {
    const leaf = findLeaf(mte_safe_root(root), mas.index);
    const slot = ma_range_slot(leaf, mas.index);
    entry = ma_slot(leaf, slot);
    mas.index = ma_slot_min(leaf, slot);
    mas.last = ma_pivot(leaf, slot);
  } else if (mas.index === 0) {
    entry = root;
    mas.last = 0;
  }
  mas.node = MAS_PAUSE;
  if (entry === 0) return 0;
  return mas_wr_store(mas, 0) ? entry : -ENOMEM;
}
