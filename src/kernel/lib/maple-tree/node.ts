/**
 * A node of the maple tree (lib/maple_tree.c, include/linux/maple_tree.h, Linux 6.1): its layout, its pointers, its making.
 *
 * A tree maps every index 0..ULONG_MAX to an entry or to NULL, as a row of ranges. A leaf holds a piece of that row;
 * an inner node holds, for each child, the last index of the child's piece:
 *
 * ```
 *                 min                                                  max
 *                  |  slot 0   |   slot 1   |  slot 2  |   slot 3      |
 *                  +-----------+------------+----------+---------------+
 *            pivot         [0]          [1]        [2]             [3]
 *            (last index of a slot; the next slot begins one above)
 *
 *   root           [ 0 .. 4095 | 4096 .. 8191 | 8192 .. top ]              allocation node: also the widest gap below each slot
 *                    /               |               \
 *   leaves  [ A | NULL | B ]   [ C | NULL ]    [ D | NULL | E | NULL ]     slots are entries
 * ```
 *
 * Rules that every write keeps: ranges are never empty; two NULL ranges never stand side by side, not even across
 * leaves; a NULL range never ends a leaf (but the last one); all leaves are equally deep; equal entries side by side stay two ranges.
 *
 * | bytes | leaf, range node | allocation node |
 * |---|---|---|
 * | 0 | parent | parent |
 * | 4 | metadata: last slot in use; in bits 8..11 the slot of the widest gap | same |
 * | 8 | 16 slots | 10 slots |
 * | 72 | 15 pivots, and one for the last slot; those behind the last slot in use are ULONG_MAX | 9 pivots, and one for the last slot; likewise |
 * | 152 | (pivots) | 10 gaps |
 * | 232 | min | min |
 * | 240 | rcu_head | rcu_head |
 *
 * It has the 256 bytes and the slots, pivots and gaps of the kernel's. Our pointers take four bytes instead of eight; the room
 * won keeps what the kernel finds by climbing: the node's first index (`min`) and the pivot of its last slot
 * (`max`). Both stay as they are for the node's life.
 *
 * Encoded pointer (`maple_enode`): address | type << 3 | 4; in `ma_root` also | 2, which tells a node from an entry.
 * Parent pointer: address | slot << 3 | 6, at the root the tree's address | 1. A dead node is its own parent.
 *
 * The prefixes of all functions are explained in index.ts.
 * @notrace
 */
import { embed, type Field, NULL, type Ptr, struct, ulong, ulongs, type Word, word, words } from '../../../machine/layout.ts';
import { f64 as arenaUlongs, i32 as arenaWords } from '../../../machine/memory.ts';
import { slabCache, slabFree, slabTryAlloc } from '../../../machine/slab.ts';
import { ULONG_MAX } from '../../include/mm_types.ts';
import { call_rcu, rcu_callback, rcu_head } from '../../rcu.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const f64 = arenaUlongs;
const i32 = arenaWords;

export const MAPLE_RANGE64_SLOTS = 16;
export const MAPLE_ARANGE64_SLOTS = 10;

export const maple_leaf_64 = 1;
export const maple_range_64 = 2;
export const maple_arange_64 = 3;

/** The union of the three kinds, as drawn above; the pivots of a leaf reach into the gaps of an allocation node. */
export const maple_node = struct(
  'maple_node',
  {
    parent: word,
    meta: word,
    slot: words(MAPLE_RANGE64_SLOTS),
    pivot: ulongs(MAPLE_ARANGE64_SLOTS),
    gap: ulongs(MAPLE_ARANGE64_SLOTS),
    min: ulong,
    rcu: embed(rcu_head),
  },
  256,
);

const PARENT = (maple_node.parent as number) >> 2;
const META = (maple_node.meta as number) >> 2;
const SLOT = (maple_node.slot as number) >> 2;
const PIVOT = (maple_node.pivot as number) >> 3;
const GAP = (maple_node.gap as number) >> 3;
const MIN = (maple_node.min as number) >> 3;

const ENODE_MARK = 4;
const ENODE_TYPE_SHIFT = 3;
const ROOT_NODE = 2;
const PARENT_MARK = 6;
const PARENT_ROOT = 1;
const ADDRESS = -256;

/** A node's address. @inline */
export function mte_to_node(enode: number): number {
  return enode & ADDRESS;
}
/** maple_leaf_64, maple_range_64 or maple_arange_64. @inline */
export function mte_node_type(enode: number): number {
  return (enode >> ENODE_TYPE_SHIFT) & 3;
}
/** @inline */
export function mte_is_leaf(enode: number): boolean {
  return ((enode >> ENODE_TYPE_SHIFT) & 3) < maple_range_64;
}
/** The pointer to a node as slots hold it. @inline */
export function mt_mk_node(node: number, type: number): number {
  return node | (type << ENODE_TYPE_SHIFT) | ENODE_MARK;
}
/** The pointer to a node as `ma_root` holds it. @inline */
export function mte_mk_root(enode: number): number {
  return enode | ROOT_NODE;
}
/** The inverse of {@link mte_mk_root}. @inline */
export function mte_safe_root(root: number): number {
  return root & ~ROOT_NODE;
}
/** Does `ma_root` hold a node (not NULL, not an entry for index 0)? @inline */
export function xa_is_node(root: number): boolean {
  return (root & 3) === 2 && root > 4096;
}
/** Must this entry not stand in `ma_root` itself, because it would look like a node? @inline */
export function entryLooksLikeNode(entry: number): boolean {
  return (entry & 3) === 2;
}

/** Slots that a node of this type has. @inline */
export function mt_slots(type: number): number {
  return type === maple_arange_64 ? MAPLE_ARANGE64_SLOTS : MAPLE_RANGE64_SLOTS;
}
/** A node other than the root with fewer slots in use gets more from a neighbour. @inline */
export function mt_min_slots(type: number): number {
  return type === maple_arange_64 ? MAPLE_ARANGE64_SLOTS / 2 - 1 : MAPLE_RANGE64_SLOTS / 2 - 2;
}

/** The offset of slot `i`, for the door. @inline */
export function slotField(i: number): Field<'maple_node', Word> {
  return ((maple_node.slot as number) + 4 * i) as Field<'maple_node', Word>;
}
/** Plain read of a slot: for writers, who hold the lock. @inline */
export function ma_slot(node: number, i: number): number {
  return i32[(node >> 2) + SLOT + i] as number;
}
/** @inline */
export function ma_set_slot(node: number, i: number, value: number): void {
  i32[(node >> 2) + SLOT + i] = value;
}
/** Last index of slot `i`. @inline */
export function ma_pivot(node: number, i: number): number {
  return f64[(node >> 3) + PIVOT + i] as number;
}
/** @inline */
export function ma_set_pivot(node: number, i: number, value: number): void {
  f64[(node >> 3) + PIVOT + i] = value;
}
/** Widest NULL range below slot `i` of an allocation node. @inline */
export function ma_gap(node: number, i: number): number {
  return f64[(node >> 3) + GAP + i] as number;
}
/** @inline */
export function ma_set_gap(node: number, i: number, value: number): void {
  f64[(node >> 3) + GAP + i] = value;
}
/** First index of the node. @inline */
export function ma_min(node: number): number {
  return f64[(node >> 3) + MIN] as number;
}
/** @inline */
export function ma_set_min(node: number, value: number): void {
  f64[(node >> 3) + MIN] = value;
}
/** First index of slot `i`. @inline */
export function ma_slot_min(node: number, i: number): number {
  return i === 0 ? (f64[(node >> 3) + MIN] as number) : (f64[(node >> 3) + PIVOT + i - 1] as number) + 1;
}
/** Last slot in use. @inline */
export function ma_data_end(node: number): number {
  return (i32[(node >> 2) + META] as number) & 0xff;
}
/** The slot of the widest gap of an allocation node. @inline */
export function ma_meta_gap(node: number): number {
  return (i32[(node >> 2) + META] as number) >> 8;
}
/** @inline */
export function ma_set_meta(node: number, end: number, gapSlot: number): void {
  i32[(node >> 2) + META] = end | (gapSlot << 8);
}
/** Last index of the node. @inline */
export function ma_max(node: number): number {
  return f64[(node >> 3) + PIVOT + ((i32[(node >> 2) + META] as number) & 0xff)] as number;
}

/** 1 if the pivot is below `index`, else 0: as a number, so that no branch comes of it. @inline */
function below(pivot: number, index: number): number {
  return (((f64[pivot] as number) < index) as unknown as number) | 0;
}
/**
 * The slot of a leaf or range node that holds `index`, which must lie within the node: the pivots below it are counted, first every fourth, then
 * those between. There are no branches that a random index would make the processor guess: each wrong guess costs more than all
 * of these comparisons. That is why pivots behind the last slot in use are ULONG_MAX (ma_pad_pivots). @inline
 */
export function ma_range_slot(node: number, index: number): number {
  const pivots = (node >> 3) + PIVOT;
  const i = pivots + ((below(pivots + 3, index) + below(pivots + 7, index) + below(pivots + 11, index)) << 2);
  return i - pivots + below(i, index) + below(i + 1, index) + below(i + 2, index);
}
/** As {@link ma_range_slot}, of an allocation node. @inline */
export function ma_arange_slot(node: number, index: number): number {
  const i = (node >> 3) + PIVOT;
  return (
    below(i, index) +
    below(i + 1, index) +
    below(i + 2, index) +
    below(i + 3, index) +
    below(i + 4, index) +
    below(i + 5, index) +
    below(i + 6, index) +
    below(i + 7, index) +
    below(i + 8, index)
  );
}
/** The slot that holds `index`. @inline */
export function mte_find_slot(enode: number, index: number): number {
  const node = enode & ADDRESS;
  return ((enode >> ENODE_TYPE_SHIFT) & 3) === maple_arange_64 ? ma_arange_slot(node, index) : ma_range_slot(node, index);
}
/** Makes the pivots from slot `from` on, of a node with `slots` slots, ones that no index is above. @inline */
export function ma_pad_pivots(node: number, from: number, slots: number): void {
  for (let i = from; i < slots; i++) f64[(node >> 3) + PIVOT + i] = ULONG_MAX;
}

/**
 * The parent pointer. Readers without the lock decode one read of it (mpp_): it may change under them. @inline
 */
export function ma_parent_pointer(node: number): number {
  return i32[(node >> 2) + PARENT] as number;
}
/** @inline */
export function mpp_is_root(pointer: number): boolean {
  return (pointer & PARENT_ROOT) !== 0;
}
/** Address of the parent. @inline */
export function mpp_node(pointer: number): number {
  return pointer & ADDRESS;
}
/** The child's slot in the parent. @inline */
export function mpp_slot(pointer: number): number {
  return (pointer >> 3) & 15;
}
/** @inline */
export function ma_set_parent(node: number, parent: number, slot: number): void {
  i32[(node >> 2) + PARENT] = parent | (slot << 3) | PARENT_MARK;
}
/** @inline */
export function ma_set_root_parent(node: number, mt: Ptr<'maple_tree'>): void {
  i32[(node >> 2) + PARENT] = (mt as number) | PARENT_ROOT;
}
/** True until a new node gets its place in a tree. @inline */
export function ma_is_unplaced(node: number): boolean {
  return i32[(node >> 2) + PARENT] === 0;
}
/**
 * Was the node taken out of its tree? A reader that finds so begins again at the root. Read after the slot: in a live
 * node the slot was true at that moment; in one that died before, its parent word said so before the slot could mislead. @inline
 */
export function ma_dead_node(node: number): boolean {
  return i32[(node >> 2) + PARENT] === node;
}

export const maple_node_cache = slabCache(maple_node);

/** A fresh node without a place, or NULL when memory is out. */
export function mt_alloc_one(): Ptr<'maple_node'> {
  const node = slabTryAlloc(maple_node_cache);
  if (node !== NULL) i32[(node >> 2) + PARENT] = 0;
  return node;
}
/** Link of a node that waits for its use (bulk.ts): its parent word. @inline */
export function ma_next_spare(node: number): number {
  return i32[(node >> 2) + PARENT] as number;
}
/** @inline */
export function ma_set_next_spare(node: number, next: number): void {
  i32[(node >> 2) + PARENT] = next;
}
/** Frees a node that no reader can see. */
export function mt_free_one(node: number): void {
  slabFree(maple_node_cache, node as Ptr<'maple_node'>);
}
const mt_free_rcu = rcu_callback('mt_free_rcu', (head) => mt_free_one(head - (maple_node.rcu as number)));
/** Marks a node that was taken out of the tree. Pairs with {@link ma_dead_node} in readers. @inline */
export function ma_mark_dead(node: number): void {
  Atomics.store(i32, (node >> 2) + PARENT, node);
}
/** Marks a node that was taken out of the tree dead and frees it after a grace period. */
export function ma_free_rcu(node: number): void {
  ma_mark_dead(node);
  call_rcu((node + (maple_node.rcu as number)) as Ptr<'rcu_head'>, mt_free_rcu);
}
