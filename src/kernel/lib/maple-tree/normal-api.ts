/**
 * The normal API: whole operations that take the locks they need, the tree's own lock for writes and an RCU read
 * section for reads. Entries are numbers; what looks like a node in the low bits may be stored, reserved values may not.
 */
import { addressOf, get } from '../../../machine/door.ts';
import type { Ptr } from '../../../machine/layout.ts';
import { EEXIST, EINVAL, ENOMEM } from '../../include/errno.ts';
import { maple_tree } from '../../include/maple_tree.ts';
import { ULONG_MAX } from '../../include/mm_types.ts';
import { spin_lock, spin_unlock } from '../../locking/spinlock.ts';
import { rcu_read_lock, rcu_read_unlock } from '../../rcu.ts';
import { mas_highest_gap, mas_lowest_gap } from './gaps.ts';
import { mas_next, mas_prev } from './iterate.ts';
import { MA_STATE, type ma_state, mas_set_range } from './state.ts';
import { mas_state_walk, mt_is_alloc, mtree_lookup_walk } from './walk.ts';
import { mas_erase, mas_store_gfp } from './write.ts';

/** The reserved entry that occupies its range, but that `mtree_load` and `mt_find` take for absent. Cursors return it. */
export const XA_ZERO_ENTRY = (257 << 2) | 2;

/** An index that a function reads and moves: `unsigned long *`. Private to the task. */
export interface ulong_ref {
  value: number;
}

/** @inline */
export function xa_is_zero(entry: number): boolean {
  return entry === XA_ZERO_ENTRY;
}

/** @inline */
export function mtree_lock(mt: Ptr<'maple_tree'>): void {
  spin_lock(addressOf(mt, maple_tree.ma_lock));
}
/** @inline */
export function mtree_unlock(mt: Ptr<'maple_tree'>): void {
  spin_unlock(addressOf(mt, maple_tree.ma_lock));
}

/** Is the tree empty? */
export function mtree_empty(mt: Ptr<'maple_tree'>): boolean {
  return get(mt, maple_tree.ma_root) === 0;
}

/** The entry at `index`, or 0. */
export function mtree_load(mt: Ptr<'maple_tree'>, index: number): number {
  rcu_read_lock();
  const entry = mtree_lookup_walk(mt, index);
  rcu_read_unlock();
  return xa_is_zero(entry) ? 0 : entry;
}

/** Sets every index of `first`..`last` to `entry`, whatever was there. @returns 0, -EINVAL when first is above last, -ENOMEM */
export function mtree_store_range(mt: Ptr<'maple_tree'>, first: number, last: number, entry: number): number {
  if (first > last) return -EINVAL;
  const mas = MA_STATE(mt, first, last);
  mtree_lock(mt);
  const error = mas_store_gfp(mas, entry);
  mtree_unlock(mt);
  return error;
}

/** Sets `index` to `entry`. @returns 0 or -ENOMEM */
export function mtree_store(mt: Ptr<'maple_tree'>, index: number, entry: number): number {
  return mtree_store_range(mt, index, index, entry);
}

/** Stores unless anything is there already. The writers' lock must be held. @inline */
function mas_insert(mas: ma_state, entry: number): number {
  const first = mas.index;
  const last = mas.last;
  const there = mas_state_walk(mas);
  const free = there === 0 && mas.last >= last;
  mas_set_range(mas, first, last);
  return free ? mas_store_gfp(mas, entry) : -EEXIST;
}

/** As {@link mtree_store_range}, but -EEXIST, and nothing changes, when any index has an entry. */
export function mtree_insert_range(mt: Ptr<'maple_tree'>, first: number, last: number, entry: number): number {
  if (first > last) return -EINVAL;
  const mas = MA_STATE(mt, first, last);
  mtree_lock(mt);
  const error = mas_insert(mas, entry);
  mtree_unlock(mt);
  return error;
}

/** As {@link mtree_store}, but -EEXIST when `index` has an entry. */
export function mtree_insert(mt: Ptr<'maple_tree'>, index: number, entry: number): number {
  return mtree_insert_range(mt, index, index, entry);
}

/** Removes the whole range that holds `index`. @returns its entry, or 0; -ENOMEM */
export function mtree_erase(mt: Ptr<'maple_tree'>, index: number): number {
  const mas = MA_STATE(mt, index, index);
  mtree_lock(mt);
  const entry = mas_erase(mas);
  mtree_unlock(mt);
  return entry;
}

/** What both allocations refuse. @inline */
function badAllocation(mt: Ptr<'maple_tree'>, size: number, min: number, max: number): boolean {
  return !mt_is_alloc(mt) || min > max || max < size || size < 1 || max > ULONG_MAX;
}

/**
 * Stores `entry` at the lowest free run of `size` indices inside `min`..`max - size` (Linux 6.1 shortens the window so).
 * @param startp  receives the first index
 * @returns 0, -EBUSY, -EINVAL, -ENOMEM
 */
export function mtree_alloc_range(mt: Ptr<'maple_tree'>, startp: ulong_ref, entry: number, size: number, min: number, max: number): number {
  if (badAllocation(mt, size, min, max)) return -EINVAL;
  const mas = MA_STATE(mt, 0, 0);
  mtree_lock(mt);
  let error = mas_lowest_gap(mas, min, max - size, size);
  if (error === 0) error = storeAllocated(mas, startp, entry);
  mtree_unlock(mt);
  return error;
}

/** As {@link mtree_alloc_range}: the highest free run inside `min`..`max`. */
export function mtree_alloc_rrange(
  mt: Ptr<'maple_tree'>,
  startp: ulong_ref,
  entry: number,
  size: number,
  min: number,
  max: number,
): number {
  if (badAllocation(mt, size, min, max)) return -EINVAL;
  const mas = MA_STATE(mt, 0, 0);
  mtree_lock(mt);
  let error = mas_highest_gap(mas, min, max, size);
  if (error === 0) error = storeAllocated(mas, startp, entry);
  mtree_unlock(mt);
  return error;
}

/** @inline */
function storeAllocated(mas: ma_state, startp: ulong_ref, entry: number): number {
  const first = mas.index;
  const error = mas_store_gfp(mas, entry);
  if (error === -ENOMEM) return error;
  startp.value = first;
  return 0;
}

/**
 * The first entry at or above `index.value` whose range begins at or below `max`; the range may begin before the index.
 * @param index  moves behind the range found (0 behind the top); stays when nothing is found
 */
export function mt_find(mt: Ptr<'maple_tree'>, index: ulong_ref, max: number): number {
  if (index.value > max) return 0;
  const mas = MA_STATE(mt, index.value, index.value);
  rcu_read_lock();
  let entry = mas_state_walk(mas);
  while (entry === 0 || xa_is_zero(entry)) {
    entry = mas_next(mas, max);
    if (entry === 0) break;
  }
  rcu_read_unlock();
  if (entry !== 0) index.value = mas.last === ULONG_MAX ? 0 : mas.last + 1;
  return entry;
}

/** As {@link mt_find}, for the following rounds of a loop: 0 when the index has gone round. */
export function mt_find_after(mt: Ptr<'maple_tree'>, index: ulong_ref, max: number): number {
  return index.value === 0 ? 0 : mt_find(mt, index, max);
}

/** The next entry above the range that holds `index` that begins at or below `max`, or 0. */
export function mt_next(mt: Ptr<'maple_tree'>, index: number, max: number): number {
  const mas = MA_STATE(mt, index, index);
  rcu_read_lock();
  const entry = mas_next(mas, max);
  rcu_read_unlock();
  return entry;
}

/** The nearest entry below the range that holds `index` that ends at or above `min`, or 0. */
export function mt_prev(mt: Ptr<'maple_tree'>, index: number, min: number): number {
  const mas = MA_STATE(mt, index, index);
  rcu_read_lock();
  const entry = mas_prev(mas, min);
  rcu_read_unlock();
  return entry;
}
