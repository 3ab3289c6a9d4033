/**
 * The workbench of a write, as the kernel's `struct maple_big_node` on the stack: the slots of one level that a write leaves
 * behind, before they are dealt out to nodes; and what a write has made and replaced so far. Each task has one, because several
 * tasks can be in the middle of a write at once (of different trees).
 * @notrace
 */
import { f64 as arenaUlongs, i32 as arenaWords, staticStorage } from '../../../machine/memory.ts';
import { AREA_INDEX, currentArea, MAX_TASKS } from '../../../machine/task-area.ts';
import { ma_gap, ma_pivot, ma_slot } from './node.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const f64 = arenaUlongs;
const i32 = arenaWords;

/** Two whole leaves, the new entry with two remainders, and a neighbour: 52 slots at most. */
const BIG_SLOTS = 64;
/** Levels of a tree of 2^31 bytes of nodes that are a third full: fewer. */
const LEVELS = 24;
/** At most 4 nodes a level. */
const CREATED = 4 * LEVELS;

// Word offsets.
const COUNT = 0;
const MADE = 1;
const SLOTS = 16;
const MADE_NODES = SLOTS + BIG_SLOTS;
const REPLACED = MADE_NODES + CREATED;
// Offsets in doubles.
const PIVOTS = (REPLACED + 2 * LEVELS) >> 1;
const GAPS = PIVOTS + BIG_SLOTS;
const BIG_BYTES = Math.ceil(((GAPS + BIG_SLOTS) * 8) / 64) * 64;

const bigNodes = staticStorage('maple_big_nodes', MAX_TASKS * BIG_BYTES, 64).address;

/** The current task's workbench, emptied. @inline */
export function mab_begin(): number {
  const bn = bigNodes + (i32[(currentArea() + AREA_INDEX) >> 2] as number) * BIG_BYTES;
  i32[(bn >> 2) + COUNT] = 0;
  i32[(bn >> 2) + MADE] = 0;
  return bn;
}
/** Slots in it. @inline */
export function mab_count(bn: number): number {
  return i32[(bn >> 2) + COUNT] as number;
}
/** @inline */
export function mab_set_count(bn: number, count: number): void {
  i32[(bn >> 2) + COUNT] = count;
}
/** @inline */
export function mab_slot(bn: number, i: number): number {
  return i32[(bn >> 2) + SLOTS + i] as number;
}
/** @inline */
export function mab_pivot(bn: number, i: number): number {
  return f64[(bn >> 3) + PIVOTS + i] as number;
}
/** @inline */
export function mab_gap(bn: number, i: number): number {
  return f64[(bn >> 3) + GAPS + i] as number;
}
/** Adds a slot that ends at `pivot`. @inline */
export function mab_push(bn: number, pivot: number, slot: number, gap: number): void {
  const count = i32[(bn >> 2) + COUNT] as number;
  i32[(bn >> 2) + COUNT] = count + 1;
  i32[(bn >> 2) + SLOTS + count] = slot;
  f64[(bn >> 3) + PIVOTS + count] = pivot;
  f64[(bn >> 3) + GAPS + count] = gap;
}
/** Adds the slots `from`..`to` of a node. */
export function mab_push_node(bn: number, node: number, from: number, to: number): void {
  for (let i = from; i <= to; i++) mab_push(bn, ma_pivot(node, i), ma_slot(node, i), ma_gap(node, i));
}
/** Makes room for `more` slots in front. */
export function mab_shift(bn: number, more: number): void {
  const words = (bn >> 2) + SLOTS;
  const ulongs = bn >> 3;
  for (let i = mab_count(bn) - 1; i >= 0; i--) {
    i32[words + i + more] = i32[words + i] as number;
    f64[ulongs + PIVOTS + i + more] = f64[ulongs + PIVOTS + i] as number;
    f64[ulongs + GAPS + i + more] = f64[ulongs + GAPS + i] as number;
  }
}

/** Remembers a node that this write made. @inline */
export function mab_add_made(bn: number, enode: number): void {
  const made = i32[(bn >> 2) + MADE] as number;
  i32[(bn >> 2) + MADE] = made + 1;
  i32[(bn >> 2) + MADE_NODES + made] = enode;
}
/** Nodes made so far. @inline */
export function mab_made_count(bn: number): number {
  return i32[(bn >> 2) + MADE] as number;
}
/** The i-th node made, encoded. @inline */
export function mab_made(bn: number, i: number): number {
  return i32[(bn >> 2) + MADE_NODES + i] as number;
}
/** Remembers that on `level` the nodes `first`..`last` are replaced. @inline */
export function mab_set_replaced(bn: number, level: number, first: number, last: number): void {
  i32[(bn >> 2) + REPLACED + 2 * level] = first;
  i32[(bn >> 2) + REPLACED + 2 * level + 1] = last;
}
/** @inline */
export function mab_replaced_first(bn: number, level: number): number {
  return i32[(bn >> 2) + REPLACED + 2 * level] as number;
}
/** @inline */
export function mab_replaced_last(bn: number, level: number): number {
  return i32[(bn >> 2) + REPLACED + 2 * level + 1] as number;
}
