/**
 * Gaps: an allocation node keeps, for each slot, the widest NULL range below it, so that a free range is found without looking
 * at every leaf. Always exact. The slot of a node's own widest gap stands in its metadata.
 * @notrace
 */
import {
  ma_data_end,
  ma_gap,
  ma_meta_gap,
  ma_min,
  ma_parent_pointer,
  ma_pivot,
  ma_set_gap,
  ma_set_meta,
  ma_slot,
  mpp_is_root,
  mpp_node,
  mpp_slot,
} from './node.ts';

/** The widest NULL range of a leaf; 0 when it has none. */
export function ma_leaf_max_gap(node: number): number {
  const end = ma_data_end(node);
  let first = ma_min(node);
  let widest = 0;
  for (let i = 0; i <= end; i++) {
    const last = ma_pivot(node, i);
    if (ma_slot(node, i) === 0 && last - first >= widest) widest = last - first + 1;
    first = last + 1;
  }
  return widest;
}

/** The widest gap of an allocation node. @inline */
export function ma_max_gap(node: number): number {
  return ma_gap(node, ma_meta_gap(node));
}

/** The slot of the widest gap, from all gaps. @inline */
export function ma_widest_slot(node: number, end: number): number {
  let widest = 0;
  for (let i = 1; i <= end; i++) if (ma_gap(node, i) > ma_gap(node, widest)) widest = i;
  return widest;
}

/** Tells the ancestors of `from` that its widest gap is now `gap`, as far up as anything changes. */
export function mas_parent_gap(from: number, gap: number): void {
  let node = from;
  let widest = gap;
  for (;;) {
    const pointer = ma_parent_pointer(node);
    if (mpp_is_root(pointer)) return;
    node = mpp_node(pointer);
    const slot = mpp_slot(pointer);
    if (ma_gap(node, slot) === widest) return;
    const before = ma_max_gap(node);
    ma_set_gap(node, slot, widest);
    const end = ma_data_end(node);
    const at = ma_widest_slot(node, end);
    // Only if it changed: each store to the line takes it away from the readers on other cores.
    if (at !== ma_meta_gap(node)) ma_set_meta(node, end, at);
    widest = ma_max_gap(node);
    if (widest === before) return;
  }
}
