/**
 * Searching for free room: the lowest or the highest run of `size` NULLs inside a window, with the gaps of allocation nodes.
 *
 * A node whose gap is too small is passed over as a whole. A gap that is wide enough may lie partly outside the window,
 * so a search may come back from a leaf and go on with the next slot; it never looks at a leaf twice.
 */

import { EBUSY, EINVAL } from '../../include/errno.ts';
import { ULONG_MAX } from '../../include/mm_types.ts';
import {
  ma_arange_slot,
  ma_data_end,
  ma_gap,
  ma_min,
  ma_parent_pointer,
  ma_pivot,
  ma_range_slot,
  ma_slot_min,
  mpp_is_root,
  mpp_node,
  mpp_slot,
  mte_is_leaf,
  mte_safe_root,
  mte_to_node,
  xa_is_node,
} from './node.ts';
import { MAS_PAUSE, MAS_ROOT, type ma_state } from './state.ts';
import { mt_is_alloc, mt_root, mt_slot } from './walk.ts';

/** Puts the cursor on the room found. @inline */
function found(mas: ma_state, node: number, first: number, size: number): number {
  mas.node = node;
  mas.index = first;
  mas.last = first + size - 1;
  return 0;
}

/** Searches a tree without nodes: all is free, but for the entry of index 0. @inline */
function sparseArea(mas: ma_state, root: number, min: number, max: number, size: number, highest: boolean): number {
  const first = root !== 0 && min === 0 ? 1 : min;
  if (size > max - first + 1) return -EBUSY;
  return found(mas, MAS_ROOT, highest ? max - size + 1 : first, size);
}

/** The lowest room in a leaf; -1 when there is none. @inline */
function lowestInLeaf(mas: ma_state, node: number, min: number, max: number, size: number): number {
  const end = ma_data_end(node);
  for (let i = ma_min(node) >= min ? 0 : ma_range_slot(node, min); i <= end; i++) {
    const from = ma_slot_min(node, i);
    if (from > max) return -1;
    if (mt_slot(mas.tree, node, i) !== 0) continue;
    const first = from > min ? from : min;
    const last = ma_pivot(node, i) < max ? ma_pivot(node, i) : max;
    if (last - first >= size - 1) return first;
  }
  return -1;
}

/** The highest room in a leaf: its first index; -1 when there is none. @inline */
function highestInLeaf(mas: ma_state, node: number, min: number, max: number, size: number): number {
  const end = ma_data_end(node);
  for (let i = ma_pivot(node, end) <= max ? end : ma_range_slot(node, max); i >= 0; i--) {
    if (ma_pivot(node, i) < min) return -1;
    if (mt_slot(mas.tree, node, i) !== 0) continue;
    const from = ma_slot_min(node, i);
    const first = from > min ? from : min;
    const last = ma_pivot(node, i) < max ? ma_pivot(node, i) : max;
    if (last - first >= size - 1) return last - size + 1;
  }
  return -1;
}

/**
 * The lowest room of `size` indices in `min`..`max`, in a tree that tracks gaps. Any window; the cursor is on it then.
 * @returns 0 or -EBUSY @inline
 */
export function mas_lowest_gap(mas: ma_state, min: number, max: number, size: number): number {
  const root = mt_root(mas.tree);
  if (!xa_is_node(root)) return sparseArea(mas, root, min, max, size, false);
  let enode = mte_safe_root(root);
  let node = mte_to_node(enode);
  let slot = mte_is_leaf(enode) ? 0 : ma_arange_slot(node, min);
  for (;;) {
    if (mte_is_leaf(enode)) {
      const first = lowestInLeaf(mas, node, min, max, size);
      if (first >= 0) return found(mas, MAS_PAUSE, first, size);
    } else {
      const end = ma_data_end(node);
      while (slot <= end && ma_gap(node, slot) < size) slot++;
      if (slot <= end) {
        if (ma_slot_min(node, slot) > max) return -EBUSY;
        enode = mt_slot(mas.tree, node, slot);
        node = mte_to_node(enode);
        slot = mte_is_leaf(enode) || ma_min(node) >= min ? 0 : ma_arange_slot(node, min);
        continue;
      }
    }
    const pointer = ma_parent_pointer(node);
    if (mpp_is_root(pointer)) return -EBUSY;
    node = mpp_node(pointer);
    slot = mpp_slot(pointer) + 1;
    enode = INNER;
  }
}

/** Any encoded pointer to an inner node: which one does not matter on the way up. */
const INNER = 2 << 3;

/**
 * The highest room of `size` indices in `min`..`max`, in a tree that tracks gaps. Any window; the cursor is on it then.
 * @returns 0 or -EBUSY @inline
 */
export function mas_highest_gap(mas: ma_state, min: number, max: number, size: number): number {
  const root = mt_root(mas.tree);
  if (!xa_is_node(root)) return sparseArea(mas, root, min, max, size, true);
  let enode = mte_safe_root(root);
  let node = mte_to_node(enode);
  let slot = mte_is_leaf(enode) ? 0 : ma_arange_slot(node, max);
  for (;;) {
    if (mte_is_leaf(enode)) {
      const first = highestInLeaf(mas, node, min, max, size);
      if (first >= 0) return found(mas, MAS_PAUSE, first, size);
    } else {
      while (slot >= 0 && ma_gap(node, slot) < size) slot--;
      if (slot >= 0) {
        if (ma_pivot(node, slot) < min) return -EBUSY;
        enode = mt_slot(mas.tree, node, slot);
        node = mte_to_node(enode);
        const end = ma_data_end(node);
        slot = mte_is_leaf(enode) ? 0 : ma_pivot(node, end) <= max ? end : ma_arange_slot(node, max);
        continue;
      }
    }
    const pointer = ma_parent_pointer(node);
    if (mpp_is_root(pointer)) return -EBUSY;
    node = mpp_node(pointer);
    slot = mpp_slot(pointer) - 1;
    enode = INNER;
  }
}

/** Are these limits ones that a search accepts? A window of a single index is an error, as in Linux 6.1. @inline */
function badWindow(mas: ma_state, min: number, max: number, size: number): boolean {
  return min >= max || size < 1 || max > ULONG_MAX || !mt_is_alloc(mas.tree);
}

/**
 * Finds the lowest run of `size` NULLs inside `min`..`max`. The tree must track gaps, and its lock must be held.
 * @returns 0, and the run in `index`..`last`; -EBUSY when there is none; -EINVAL for a window of fewer than two indices or a tree without gaps
 */
export function mas_empty_area(mas: ma_state, min: number, max: number, size: number): number {
  if (badWindow(mas, min, max, size)) return -EINVAL;
  return mas_lowest_gap(mas, min, max, size);
}

/** As {@link mas_empty_area}: the highest such run. */
export function mas_empty_area_rev(mas: ma_state, min: number, max: number, size: number): number {
  if (badWindow(mas, min, max, size)) return -EINVAL;
  return mas_highest_gap(mas, min, max, size);
}
