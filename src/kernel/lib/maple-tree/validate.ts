/**
 * `mt_validate`: checks every rule of a tree (see node.ts). For tests and debugging; the writers' lock must be held.
 * @notrace
 */
import { get } from '../../../machine/door.ts';
import type { Ptr } from '../../../machine/layout.ts';
import { OBJECT_LIVE, objectState } from '../../../machine/slab.ts';
import { maple_tree } from '../../include/maple_tree.ts';
import { ULONG_MAX } from '../../include/mm_types.ts';
import { ma_leaf_max_gap } from './gap-update.ts';
import {
  entryLooksLikeNode,
  ma_data_end,
  ma_gap,
  ma_meta_gap,
  ma_min,
  ma_parent_pointer,
  ma_pivot,
  ma_slot,
  ma_slot_min,
  maple_arange_64,
  maple_leaf_64,
  mpp_is_root,
  mpp_node,
  mpp_slot,
  mt_slots,
  mte_is_leaf,
  mte_node_type,
  mte_safe_root,
  mte_to_node,
  xa_is_node,
} from './node.ts';
import { mt_height, mt_inner_type } from './rebuild.ts';

/** What is carried through the walk over all nodes. */
interface Walk {
  mt: Ptr<'maple_tree'>;
  height: number;
  faults: string[];
  /** Was the slot before this one NULL? */
  afterNull: boolean;
  nodes: number;
}

function fault(walk: Walk, node: number, text: string): void {
  walk.faults.push(`node ${node.toString(16)}: ${text}`);
}

/** Checks a leaf's slots. @returns its widest gap */
function validateLeaf(walk: Walk, node: number): number {
  const end = ma_data_end(node);
  for (let i = 0; i <= end; i++) {
    const isNull = ma_slot(node, i) === 0;
    if (isNull && walk.afterNull) fault(walk, node, `slot ${i} is a second NULL range in a row`);
    walk.afterNull = isNull;
  }
  if (walk.afterNull && ma_pivot(node, end) !== ULONG_MAX) fault(walk, node, 'a leaf that is not the last ends with NULL');
  return ma_leaf_max_gap(node);
}

/** Checks the children of an inner node and the gaps kept for them. @returns its widest gap */
function validateInner(walk: Walk, enode: number, depth: number): number {
  const node = mte_to_node(enode);
  const end = ma_data_end(node);
  let widest = 0;
  for (let i = 0; i <= end; i++) {
    const child = ma_slot(node, i);
    const pointer = ma_parent_pointer(mte_to_node(child));
    if (objectState(mte_to_node(child)) !== OBJECT_LIVE) {
      fault(walk, node, `slot ${i} points to freed memory`);
      continue;
    }
    if (pointer === mte_to_node(child)) fault(walk, node, `slot ${i} holds a dead node`);
    else if (mpp_is_root(pointer) || mpp_node(pointer) !== node || mpp_slot(pointer) !== i)
      fault(walk, node, `the child in slot ${i} has another parent`);
    const gap = validateNode(walk, child, depth + 1, ma_slot_min(node, i), ma_pivot(node, i));
    if (mte_node_type(enode) !== maple_arange_64) continue;
    if (ma_gap(node, i) !== gap) fault(walk, node, `gap ${i} is ${ma_gap(node, i)}, the widest below is ${gap}`);
    widest = Math.max(widest, gap);
  }
  if (mte_node_type(enode) === maple_arange_64) {
    const slot = ma_meta_gap(node);
    if (slot > end || ma_gap(node, slot) !== widest) fault(walk, node, `metadata says slot ${slot} has the widest gap`);
  }
  return widest;
}

/** Checks a node that should cover `min`..`max`, and all below it. @returns its widest gap */
function validateNode(walk: Walk, enode: number, depth: number, min: number, max: number): number {
  const node = mte_to_node(enode);
  const type = mte_node_type(enode);
  const end = ma_data_end(node);
  walk.nodes++;
  if (end >= mt_slots(type)) {
    fault(walk, node, `metadata says ${end + 1} slots of ${mt_slots(type)}`);
    return 0;
  }
  if (ma_min(node) !== min) fault(walk, node, `begins at ${ma_min(node)} instead of ${min}`);
  if (ma_pivot(node, end) !== max) fault(walk, node, `ends at ${ma_pivot(node, end)} instead of ${max}`);
  for (let i = 0; i <= end; i++) {
    if (ma_pivot(node, i) < ma_slot_min(node, i)) fault(walk, node, `pivot ${i} (${ma_pivot(node, i)}) is below the start of its slot`);
  }
  for (let i = end + 1; i < mt_slots(type); i++) {
    if (ma_pivot(node, i) !== ULONG_MAX) fault(walk, node, `pivot ${i} behind the last slot is ${ma_pivot(node, i)}`);
  }
  if (mte_is_leaf(enode)) {
    if (type !== maple_leaf_64) fault(walk, node, `is a leaf of type ${type}`);
    if (depth !== walk.height) fault(walk, node, `is a leaf on level ${depth} of ${walk.height}`);
    return validateLeaf(walk, node);
  }
  if (type !== mt_inner_type(walk.mt)) fault(walk, node, `is an inner node of type ${type}`);
  if (depth >= walk.height) {
    fault(walk, node, `is an inner node on level ${depth} of ${walk.height}`);
    return 0;
  }
  if (end === 0) fault(walk, node, 'is an inner node with one child');
  return validateInner(walk, enode, depth);
}

/** Checks a tree. @returns what is wrong, one sentence each; empty when all is well */
export function mt_validate(mt: Ptr<'maple_tree'>): string[] {
  const root = get(mt, maple_tree.ma_root);
  const walk: Walk = { mt, height: mt_height(mt), faults: [], afterNull: false, nodes: 0 };
  if (!xa_is_node(root)) {
    if (walk.height !== 0) walk.faults.push(`height ${walk.height} without nodes`);
    if (root !== 0 && entryLooksLikeNode(root)) walk.faults.push('the root holds an entry that looks like a node');
    return walk.faults;
  }
  const node = mte_to_node(mte_safe_root(root));
  if (ma_parent_pointer(node) !== ((mt as number) | 1)) walk.faults.push('the parent of the root node is not the tree');
  validateNode(walk, mte_safe_root(root), 1, 0, ULONG_MAX);
  return walk.faults;
}

/** Nodes of a tree. */
export function mt_nr_nodes(mt: Ptr<'maple_tree'>): number {
  const root = get(mt, maple_tree.ma_root);
  return xa_is_node(root) ? countNodes(mte_safe_root(root)) : 0;
}

function countNodes(enode: number): number {
  if (mte_is_leaf(enode)) return 1;
  const node = mte_to_node(enode);
  let sum = 1;
  for (let i = 0; i <= ma_data_end(node); i++) sum += countNodes(ma_slot(node, i));
  return sum;
}
