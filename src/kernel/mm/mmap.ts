/**
 * Areas of an address space: mapping, unmapping with splits, merging, and their end in `exit_mmap` (mm/mmap.c, Linux 6.1).
 *
 * Left out: files, stacks that grow, accounting, protection changes.
 */
import { addressOf, get, getUlong, set, set_bit } from '../../machine/door.ts';
import { panic } from '../../machine/errors.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { EINVAL, ENOMEM } from '../include/errno.ts';
import { maple_tree } from '../include/maple_tree.ts';
import { MMF_OOM_SKIP, mm_struct, offset_in_page, TASK_SIZE, ULONG_MAX, vm_area_struct } from '../include/mm_types.ts';
import { mmap_read_lock, mmap_read_unlock, mmap_write_lock, mmap_write_unlock } from '../include/mmap_lock.ts';
import { __mt_destroy } from '../lib/maple-tree/destroy.ts';
import { mas_empty_area } from '../lib/maple-tree/gaps.ts';
import { mt_clear_in_rcu } from '../lib/maple-tree/init.ts';
import { mas_find, mas_prev } from '../lib/maple-tree/iterate.ts';
import { MA_STATE, mas_set } from '../lib/maple-tree/state.ts';
import { mt_in_rcu } from '../lib/maple-tree/walk.ts';
import { trace_mmf_oom_skip, trace_mt_clear_in_rcu, trace_tlb_finish_mmu } from '../trace/trace-mm.ts';
import { free_pgtables, unmap_vmas, zap_pte_range } from './memory-range.ts';
import { unlink_anon_vmas } from './rmap.ts';
import { can_merge, split_vma, vm_area_alloc, vm_area_free, vma_expand, vma_link, vma_mas_remove } from './vma.ts';
import { find_vma } from './vma-iterator.ts';

type Mm = Ptr<'mm_struct'>;
type Vma = Ptr<'vm_area_struct'>;

/** Lowest address that mmap chooses by itself. */
const TASK_UNMAPPED_BASE = 0x10000;

/** Start of the lowest hole of `len` bytes, or -ENOMEM. Must hold mmap_lock. */
export function get_unmapped_area(mm: Mm, len: number): number {
  const mas = MA_STATE(addressOf(mm, mm_struct.mm_mt), 0, 0);
  if (mas_empty_area(mas, TASK_UNMAPPED_BASE, TASK_SIZE - 1, len) !== 0) return -ENOMEM;
  return mas.index;
}

/**
 * Maps anonymous memory.
 * @param addr  where, page aligned; 0: the kernel chooses. What is mapped there already is unmapped first.
 * @param len  bytes, page aligned
 * @param vm_flags  VM_*
 * @returns the address, or a negative errno
 */
export function vm_mmap(mm: Mm, addr: number, len: number, vm_flags: number): number {
  if (len <= 0 || offset_in_page(len) !== 0 || offset_in_page(addr) !== 0) return -EINVAL;
  if (addr + len > TASK_SIZE) return -ENOMEM;
  mmap_write_lock(mm);
  const start = addr === 0 ? get_unmapped_area(mm, len) : addr;
  if (start >= 0) mmap_region(mm, start, len, vm_flags);
  mmap_write_unlock(mm);
  return start;
}

/** Must hold mmap_lock for write. @inline */
function mmap_region(mm: Mm, start: number, len: number, vm_flags: number): void {
  const end = start + len;
  let next = find_vma(mm, start);
  if (next !== NULL && getUlong(next, vm_area_struct.vm_start) < end) {
    do_munmap(mm, start, end);
    next = find_vma(mm, start);
  }
  const prev = next !== NULL ? get(next, vm_area_struct.vm_prev) : last_vma(mm);
  const joins_next = next !== NULL && getUlong(next, vm_area_struct.vm_start) === end;
  if (prev !== NULL && getUlong(prev, vm_area_struct.vm_end) === start && can_merge(prev, vm_flags, NULL)) {
    vma_expand(prev, getUlong(prev, vm_area_struct.vm_start), end);
    if (joins_next && can_merge(next, vm_flags, get(prev, vm_area_struct.anon_vma))) absorb(prev, next);
  } else if (joins_next && can_merge(next, vm_flags, NULL)) {
    vma_expand(next, start, getUlong(next, vm_area_struct.vm_end));
  } else {
    vma_link(mm, vm_area_alloc(mm, start, end, vm_flags), prev);
  }
}

/** The area with the highest address, or NULL. Must hold mmap_lock. @inline */
function last_vma(mm: Mm): Vma {
  if (get(mm, mm_struct.map_count) === 0) return NULL;
  return mas_prev(MA_STATE(addressOf(mm, mm_struct.mm_mt), ULONG_MAX, ULONG_MAX), 0) as Vma;
}

/** `next`, directly behind `vma`, becomes part of it. */
function absorb(vma: Vma, next: Vma): void {
  const end = getUlong(next, vm_area_struct.vm_end);
  if (get(vma, vm_area_struct.anon_vma) === NULL) {
    set(vma, vm_area_struct.anon_vma, get(next, vm_area_struct.anon_vma));
    set(next, vm_area_struct.anon_vma, NULL);
  }
  vma_mas_remove(next);
  unlink_anon_vmas(next);
  vm_area_free(next);
  vma_expand(vma, getUlong(vma, vm_area_struct.vm_start), end);
}

/** Joins an area with its neighbours where flags and anon_vma allow. Must hold mmap_lock for write. Returns the area. @inline */
export function vma_merge(vma: Vma): Vma {
  const flags = get(vma, vm_area_struct.vm_flags);
  let whole = vma;
  const prev = get(vma, vm_area_struct.vm_prev);
  const touches_prev = prev !== NULL && getUlong(prev, vm_area_struct.vm_end) === getUlong(vma, vm_area_struct.vm_start);
  if (touches_prev && can_merge(prev, flags, get(vma, vm_area_struct.anon_vma))) {
    absorb(prev, vma);
    whole = prev;
  }
  const next = get(whole, vm_area_struct.vm_next);
  const touches_next = next !== NULL && getUlong(next, vm_area_struct.vm_start) === getUlong(whole, vm_area_struct.vm_end);
  if (touches_next && can_merge(next, flags, get(whole, vm_area_struct.anon_vma))) absorb(whole, next);
  return whole;
}

/** Unmaps `start`..`end`. Must hold mmap_lock for write. */
function do_munmap(mm: Mm, start: number, end: number): void {
  for (let vma = find_vma(mm, start); vma !== NULL && getUlong(vma, vm_area_struct.vm_start) < end; vma = find_vma(mm, start)) {
    if (getUlong(vma, vm_area_struct.vm_start) < start) vma = split_vma(vma, start);
    if (getUlong(vma, vm_area_struct.vm_end) > end) split_vma(vma, end);
    zap_pte_range(mm, getUlong(vma, vm_area_struct.vm_start), getUlong(vma, vm_area_struct.vm_end));
    vma_mas_remove(vma);
    unlink_anon_vmas(vma);
    vm_area_free(vma);
  }
}

/** munmap(2). Returns 0 or -EINVAL. */
export function vm_munmap(mm: Mm, addr: number, len: number): number {
  if (len <= 0 || offset_in_page(len) !== 0 || offset_in_page(addr) !== 0 || addr + len > TASK_SIZE) return -EINVAL;
  mmap_write_lock(mm);
  do_munmap(mm, addr, addr + len);
  mmap_write_unlock(mm);
  return 0;
}

/** Frees an area whose tree goes away as a whole. */
function remove_vma(vma: Vma): void {
  vm_area_free(vma);
}

/**
 * The end of an address space: unmaps all pages under the read lock, then frees tables, areas and the tree under
 * the write lock. The first area of each walk comes from the tree, the others from the list. Called by the last user; whoever still holds the struct meets an empty tree without flags.
 */
export function exit_mmap(mm: Mm): void {
  const mas = MA_STATE(addressOf(mm, mm_struct.mm_mt), 0, 0);
  mmap_read_lock(mm);
  let vma = mas_find(mas, ULONG_MAX) as Vma;
  if (vma === NULL) {
    mmap_read_unlock(mm);
    return;
  }
  unmap_vmas(vma);
  mmap_read_unlock(mm);
  set_bit(MMF_OOM_SKIP, mm, mm_struct.flags);
  trace_mmf_oom_skip(mm);
  mmap_write_lock(mm);
  // So that the nodes are freed at once below.
  if (mt_in_rcu(addressOf(mm, mm_struct.mm_mt))) {
    mt_clear_in_rcu(addressOf(mm, mm_struct.mm_mt));
    trace_mt_clear_in_rcu(mm, get(addressOf(mm, mm_struct.mm_mt), maple_tree.ma_flags));
  }
  mas_set(mas, 0);
  vma = mas_find(mas, ULONG_MAX) as Vma;
  free_pgtables(vma);
  trace_tlb_finish_mmu(mm);
  let count = 0;
  for (; vma !== NULL; count++) {
    const next = get(vma, vm_area_struct.vm_next);
    remove_vma(vma);
    vma = next;
  }
  if (count !== get(mm, mm_struct.map_count)) panic(`exit_mmap: ${count} areas, but map_count is ${get(mm, mm_struct.map_count)}`);
  set(mm, mm_struct.mmap, NULL);
  __mt_destroy(addressOf(mm, mm_struct.mm_mt));
  mmap_write_unlock(mm);
}
