/**
 * `struct ma_state`: a cursor. It is private to the task that made it, so it is a plain object and not in shared memory.
 *
 * | node | the cursor |
 * |---|---|
 * | MAS_START | is fresh at `index` |
 * | MAS_PAUSE | is on `index`..`last`, but must look the tree up again to go on |
 * | MAS_ROOT | is on `index`..`last` in a tree without nodes |
 * | MAS_NONE | ran off the tree; goes on as MAS_START |
 * | a node | is on `index`..`last` = slot `offset` of that leaf |
 *
 * Unlike the kernel's it does not carry the node's limits (they stand in the node).
 * @notrace
 */
import type { Ptr } from '../../../machine/layout.ts';
import { ma_next_spare, ma_set_next_spare, mt_alloc_one, mt_free_one } from './node.ts';

export const MAS_START = 1;
export const MAS_ROOT = 5;
export const MAS_NONE = 9;
export const MAS_PAUSE = 17;

export interface ma_state {
  tree: Ptr<'maple_tree'>;
  /** First index of the range that the cursor is on, or where it starts. */
  index: number;
  /** Last index of that range. */
  last: number;
  /** Address of the leaf, or one of the MAS_ states. */
  node: number;
  /** Slot in the leaf. */
  offset: number;
  /** Nodes allocated beforehand (mas_expected_entries), linked by their first word; 0: none. */
  alloc: number;
}

/** A cursor, fresh at `first`; a store through it covers `first`..`last`. */
export function MA_STATE(mt: Ptr<'maple_tree'>, first: number, last: number): ma_state {
  return { tree: mt, index: first, last, node: MAS_START, offset: 0, alloc: 0 };
}

/** Forgets where the cursor is: the next operation starts fresh at `index`. @inline */
export function mas_reset(mas: ma_state): void {
  mas.node = MAS_START;
}
/** Makes the cursor fresh at `index`. @inline */
export function mas_set(mas: ma_state, index: number): void {
  mas_set_range(mas, index, index);
}
/** Makes the cursor fresh at `start`, for a store over `start`..`last`. @inline */
export function mas_set_range(mas: ma_state, start: number, last: number): void {
  mas.index = start;
  mas.last = last;
  mas.node = MAS_START;
}
/** To be called before the lock is dropped in the middle of a walk: the walk goes on behind `last`. @inline */
export function mas_pause(mas: ma_state): void {
  mas.node = MAS_PAUSE;
}
/** Is the cursor on a slot of a leaf? @inline */
export function mas_on_node(mas: ma_state): boolean {
  return mas.node > MAS_PAUSE;
}

/** A node for a write: one of those allocated beforehand, else a fresh one. NULL when memory is out. @inline */
export function mas_alloc_node(mas: ma_state): number {
  const node = mas.alloc;
  if (node === 0) return mt_alloc_one();
  mas.alloc = ma_next_spare(node);
  ma_set_next_spare(node, 0);
  return node;
}

/** Frees a node that no reader can see: during a bulk fill it is kept for the next store. @inline */
export function mas_free_node(mas: ma_state, node: number): void {
  if (mas.alloc === 0) {
    mt_free_one(node);
    return;
  }
  ma_set_next_spare(node, mas.alloc);
  mas.alloc = node;
}
