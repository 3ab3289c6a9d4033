/**
 * Iteration: from range to range, upward and downward, through the leaves and over their parents.
 *
 * Entries are returned with their whole range, never clipped to a limit. A limit is met by a range above when its FIRST index
 * is at or below it, by a range below when its LAST index is at or above it. The loops of the kernel's macros are written out:
 *
 * ```
 *   for (let entry = mas_find(mas, max); entry !== 0; entry = mas_find(mas, max)) ...      mas_for_each(mas, entry, max)
 *   for (let e = mt_find(mt, at, max); e !== 0; e = mt_find_after(mt, at, max)) ...        mt_for_each(mt, e, index, max)
 * ```
 *
 * All of these need the tree's lock, or an RCU read section for as long as the cursor is used.
 */
import { bootOptions } from '../../../machine/boot.ts';
import { f64 as arenaUlongs, i32 as arenaWords } from '../../../machine/memory.ts';
import { ULONG_MAX } from '../../include/mm_types.ts';
import { ma_data_end, ma_dead_node, ma_min, ma_pivot, ma_slot_min, maple_node } from './node.ts';
import { MAS_NONE, MAS_PAUSE, MAS_ROOT, MAS_START, type ma_state } from './state.ts';
import { mas_next_node, mas_prev_node, mas_state_walk, mas_walk, mt_slot } from './walk.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const f64 = arenaUlongs;
const i32 = arenaWords;
const PARENT = (maple_node.parent as number) >> 2;
const META = (maple_node.meta as number) >> 2;
const SLOT = (maple_node.slot as number) >> 2;
const PIVOT = (maple_node.pivot as number) >> 3;

const boot = bootOptions();
/** Nobody hears of calls, and dereferences are neither checked nor delayed nor scheduling points: plain loads are all that is left of a step. */
const UNHEARD = boot.lockdep === 'off' && boot.delay === 'none' && !boot.forced && !boot.stepped && !boot.record && !boot.traceCalls;

/** Puts the cursor on slot `offset` of a leaf. @inline */
function mas_land(mas: ma_state, node: number, offset: number): void {
  mas.node = node;
  mas.offset = offset;
  mas.index = ma_slot_min(node, offset);
  mas.last = ma_pivot(node, offset);
}

/** A cursor that is on a range above the limit goes back to the limit, as in Linux 6.1. @inline */
function rewind(mas: ma_state, max: number): void {
  if (mas.index <= max) return;
  mas.index = max;
  mas.last = max;
  mas.node = MAS_PAUSE;
}

/**
 * The next entry above the cursor's range, when it stands, as nearly always, in the same leaf or in one behind it under the same parent.
 * The hottest loop of the tree, so it is spelled out in words of the nodes (node.ts): each function called costs a check here even when it
 * is inlined.
 * @returns 0 when it is elsewhere, begins above `max`, or a dead node was met; the cursor has not moved then @inline
 */
function nextNearby(mas: ma_state, max: number): number {
  let node = mas.node;
  if (node <= MAS_PAUSE) return 0;
  let offset = mas.offset;
  let end = (i32[(node >> 2) + META] as number) & 0xff;
  let last = f64[(node >> 3) + PIVOT + offset] as number;
  for (;;) {
    while (offset < end) {
      if (last >= max) return 0;
      const first = last + 1;
      offset++;
      const entry = i32[(node >> 2) + SLOT + offset] as number;
      last = f64[(node >> 3) + PIVOT + offset] as number;
      if (entry === 0) continue;
      if ((i32[(node >> 2) + PARENT] as number) === node) return 0;
      mas.node = node;
      mas.offset = offset;
      mas.index = first;
      mas.last = last;
      return entry;
    }
    const pointer = i32[(node >> 2) + PARENT] as number;
    const parent = pointer & -256;
    const slot = ((pointer >> 3) & 15) + 1;
    if ((pointer & 1) !== 0 || pointer === node || slot > ((i32[(parent >> 2) + META] as number) & 0xff)) return 0;
    // While the parent lives, its child in the next slot begins one above `last`.
    const next = i32[(parent >> 2) + SLOT + slot] as number;
    if ((i32[(parent >> 2) + PARENT] as number) === parent) return 0;
    node = next & -256;
    end = (i32[(node >> 2) + META] as number) & 0xff;
    offset = -1;
  }
}

/**
 * The next entry above the cursor's range that begins at or below `max`. Not found: the cursor stays, but for two cases that
 * Linux 6.1 has: a cursor that was above `max` already goes back to it, and one that met nothing up to the tree's end stands behind the last entry. @inline
 */
function mas_next_entry(mas: ma_state, max: number): number {
  if (mas.last >= max) {
    rewind(mas, max);
    return 0;
  }
  let node = mas.node;
  let offset = mas.offset;
  for (;;) {
    const end = ma_data_end(node);
    let first = offset < 0 ? ma_min(node) : ma_pivot(node, offset) + 1;
    for (; offset < end && first <= max; first = ma_pivot(node, offset) + 1) {
      offset++;
      const entry = mt_slot(mas.tree, node, offset);
      if (entry === 0) continue;
      const last = ma_pivot(node, offset);
      if (ma_dead_node(node)) break;
      mas.node = node;
      mas.offset = offset;
      mas.index = first;
      mas.last = last;
      return entry;
    }
    let next = -1;
    if (!ma_dead_node(node)) {
      if (offset < end || ma_pivot(node, end) >= max) {
        if (offset === end && ma_pivot(node, end) === ULONG_MAX) mas_land(mas, node, end);
        return 0;
      }
      next = mas_next_node(mas.tree, node);
    }
    if (next > 0) {
      node = next;
      offset = -1;
      continue;
    }
    // A write took the node out of the tree: look up what follows the cursor's range.
    mas.index = mas.last + 1;
    const entry = mas_state_walk(mas);
    if (entry !== 0 || mas.node === MAS_ROOT || mas.last >= max) return entry;
    node = mas.node;
    offset = mas.offset;
  }
}

/** Nothing stands before the cursor down to index 0: the next operation starts there. @inline */
function runOffBottom(mas: ma_state): void {
  mas.index = 0;
  mas.last = 0;
  mas.node = MAS_NONE;
}

/** The nearest entry below the cursor's range that ends at or above `min`. @inline */
function mas_prev_entry(mas: ma_state, min: number): number {
  if (mas.index === 0) runOffBottom(mas);
  if (mas.index <= min) return 0;
  let node = mas.node;
  let offset = mas.offset;
  for (;;) {
    while (offset > 0 && ma_pivot(node, offset - 1) >= min) {
      offset--;
      const entry = mt_slot(mas.tree, node, offset);
      if (entry === 0) continue;
      const first = ma_slot_min(node, offset);
      const last = ma_pivot(node, offset);
      if (ma_dead_node(node)) break;
      mas.node = node;
      mas.offset = offset;
      mas.index = first;
      mas.last = last;
      return entry;
    }
    let prev = -1;
    if (!ma_dead_node(node)) {
      if (offset > 0 || ma_min(node) <= min) {
        if (offset === 0 && ma_min(node) === 0) runOffBottom(mas);
        return 0;
      }
      prev = mas_prev_node(mas.tree, node);
    }
    if (prev > 0) {
      node = prev;
      offset = ma_data_end(node) + 1;
      continue;
    }
    // A write took the node out of the tree: look up what stands before the cursor's range.
    mas.index = mas.index - 1;
    const entry = mas_state_walk(mas);
    if (entry !== 0 || mas.node === MAS_ROOT || mas.index <= min) return entry;
    node = mas.node;
    offset = mas.offset;
  }
}

/** One step up in a tree without nodes: there is nothing behind index 0. @inline */
function mas_next_root(mas: ma_state): number {
  if (mas.last === 0) {
    mas.index = 1;
    mas.last = ULONG_MAX;
  }
  return 0;
}

/** {@link mas_find} where the next entry is not at hand. @partOf mas_find */
function findFarther(mas: ma_state, max: number): number {
  if (mas.node <= MAS_PAUSE && mas.node !== MAS_ROOT) {
    if (mas.node === MAS_PAUSE) {
      if (mas.last >= max) {
        rewind(mas, max);
        return 0;
      }
      mas.index = mas.last + 1;
      mas.last = mas.index;
      mas.node = MAS_START;
    }
    if (mas.index > max) return 0;
    const entry = mas_walk(mas);
    if (entry !== 0) return entry;
  }
  if (mas.node === MAS_ROOT) return mas_next_root(mas);
  return mas_next_entry(mas, max);
}

/** {@link mas_next} where the next entry is not at hand. @partOf mas_next */
function nextFarther(mas: ma_state, max: number): number {
  if (mas.node <= MAS_PAUSE && mas.node !== MAS_ROOT) {
    mas.node = MAS_START;
    mas_walk(mas);
  }
  if (mas.node === MAS_ROOT) return mas_next_root(mas);
  return mas_next_entry(mas, max);
}

/**
 * The next entry at or above the cursor: on a fresh cursor the one at `index`, else, and on a range, the next one that begins
 * at or below `max`.
 * @returns the entry, with its range in `index`..`last`; 0 if there is none @inline
 */
export function mas_find(mas: ma_state, max: number): number {
  const entry = UNHEARD ? nextNearby(mas, max) : 0;
  return entry !== 0 ? entry : findFarther(mas, max);
}

/** The next entry above the range, of an entry or NULL, around the cursor that begins at or below `max`. Returns as {@link mas_find}. @inline */
export function mas_next(mas: ma_state, max: number): number {
  const entry = UNHEARD ? nextNearby(mas, max) : 0;
  return entry !== 0 ? entry : nextFarther(mas, max);
}

/** The entry at index 0 of a tree without nodes, for a cursor above it. @inline */
function mas_prev_root(mas: ma_state, min: number): number {
  if (mas.index === 0 || min > 0) return 0;
  mas.index = 0;
  return mas_state_walk(mas);
}

/** The nearest entry below the range around the cursor that ends at or above `min`. Returns as {@link mas_find}. */
export function mas_prev(mas: ma_state, min: number): number {
  if (mas.node <= MAS_PAUSE && mas.node !== MAS_ROOT) {
    mas.node = MAS_START;
    mas_walk(mas);
  }
  if (mas.node === MAS_ROOT) return mas_prev_root(mas, min);
  return mas_prev_entry(mas, min);
}

/** The entry at or below the cursor: on a fresh cursor the one at `index`, else as {@link mas_prev}. Returns as {@link mas_find}. */
export function mas_find_rev(mas: ma_state, min: number): number {
  if (mas.node <= MAS_PAUSE && mas.node !== MAS_ROOT) {
    if (mas.node === MAS_PAUSE) {
      if (mas.index === 0) {
        mas.node = MAS_NONE;
        return 0;
      }
      mas.index = mas.index - 1;
      mas.last = mas.index;
      mas.node = MAS_START;
    }
    if (mas.index < min) return 0;
    const entry = mas_walk(mas);
    if (entry !== 0) return entry;
  }
  if (mas.node === MAS_ROOT) return mas_prev_root(mas, min);
  return mas_prev_entry(mas, min);
}
