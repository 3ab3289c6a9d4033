/**
 * `mt_dump`: a tree as text, one line a slot, for people.
 *
 * ```
 *   maple_tree 0x1f40: flags 0x309, height 2
 *   0-top: allocation node 0x4200, 3 slots, widest gap 4096 in slot 1
 *     0-4095: leaf 0x4300, 2 slots
 *       0-15: 0x120
 *       16-4095: NULL
 * ```
 * @notrace
 */
import { get } from '../../../machine/door.ts';
import type { Ptr } from '../../../machine/layout.ts';
import { maple_tree } from '../../include/maple_tree.ts';
import { ULONG_MAX } from '../../include/mm_types.ts';
import {
  ma_data_end,
  ma_gap,
  ma_meta_gap,
  ma_pivot,
  ma_slot,
  ma_slot_min,
  maple_arange_64,
  mte_is_leaf,
  mte_node_type,
  mte_safe_root,
  mte_to_node,
  xa_is_node,
} from './node.ts';
import { mt_height } from './rebuild.ts';

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function range(first: number, last: number): string {
  return `${first}-${last === ULONG_MAX ? 'top' : last}`;
}

function entryText(entry: number): string {
  return entry === 0 ? 'NULL' : hex(entry);
}

/** The lines of a node and of all below it. */
function dumpNode(enode: number, first: number, last: number, indent: string, lines: string[]): void {
  const node = mte_to_node(enode);
  const end = ma_data_end(node);
  const slots = `${hex(node)}, ${end + 1} slot${end === 0 ? '' : 's'}`;
  if (mte_is_leaf(enode)) {
    lines.push(`${indent}${range(first, last)}: leaf ${slots}`);
    for (let i = 0; i <= end; i++)
      lines.push(`${indent}  ${range(ma_slot_min(node, i), ma_pivot(node, i))}: ${entryText(ma_slot(node, i))}`);
    return;
  }
  if (mte_node_type(enode) === maple_arange_64) {
    const widest = ma_meta_gap(node);
    lines.push(`${indent}${range(first, last)}: allocation node ${slots}, widest gap ${ma_gap(node, widest)} in slot ${widest}`);
  } else lines.push(`${indent}${range(first, last)}: range node ${slots}`);
  for (let i = 0; i <= end; i++) dumpNode(ma_slot(node, i), ma_slot_min(node, i), ma_pivot(node, i), `${indent}  `, lines);
}

/** A picture of a tree. The writers' lock must be held. */
export function mt_dump(mt: Ptr<'maple_tree'>): string {
  const root = get(mt, maple_tree.ma_root);
  const lines = [`maple_tree ${hex(mt)}: flags ${hex(get(mt, maple_tree.ma_flags))}, height ${mt_height(mt)}`];
  if (xa_is_node(root)) dumpNode(mte_safe_root(root), 0, ULONG_MAX, '', lines);
  else if (root === 0) lines.push('0-top: NULL');
  else lines.push(`0-0: ${entryText(root)} (in the root pointer)`, '1-top: NULL');
  return lines.join('\n');
}
