/** One area: allocation, its place in tree and list, splitting, growing (mm/mmap.c, kernel/fork.c, Linux 6.1). */
import { addressOf, get, getUlong, set, setUlong } from '../../machine/door.ts';
import { panic } from '../../machine/errors.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { mm_struct, vm_area_struct } from '../include/mm_types.ts';
import { MA_STATE } from '../lib/maple-tree/state.ts';
import { mtree_lookup_walk } from '../lib/maple-tree/walk.ts';
import { mas_store_gfp } from '../lib/maple-tree/write.ts';
import { anon_vma_clone } from './rmap.ts';
import { KMEM_CACHE, kmem_cache_alloc, kmem_cache_free } from './slab.ts';

type Mm = Ptr<'mm_struct'>;
type Vma = Ptr<'vm_area_struct'>;

const vm_area_cachep = KMEM_CACHE(vm_area_struct);

/** @inline */
export function vm_area_alloc(mm: Mm, start: number, end: number, vm_flags: number): Vma {
  const vma = kmem_cache_alloc(vm_area_cachep);
  setUlong(vma, vm_area_struct.vm_start, start);
  setUlong(vma, vm_area_struct.vm_end, end);
  set(vma, vm_area_struct.vm_mm, mm);
  set(vma, vm_area_struct.vm_flags, vm_flags);
  set(vma, vm_area_struct.anon_vma, NULL);
  set(vma, vm_area_struct.vm_next, NULL);
  set(vma, vm_area_struct.vm_prev, NULL);
  set(vma, vm_area_struct.vm_file, 0);
  return vma;
}

/** @inline */
export function vm_area_free(vma: Vma): void {
  kmem_cache_free(vm_area_cachep, vma);
}

/** Stores an area over its range. Must hold mmap_lock for write. @inline */
function storeInTree(mm: Mm, entry: number, start: number, end: number): void {
  const mas = MA_STATE(addressOf(mm, mm_struct.mm_mt), start, end - 1);
  if (mas_store_gfp(mas, entry) !== 0) panic('no memory for the maple tree of an mm');
}

/** Puts an area into the mm, behind `prev` (NULL: first). Must hold mmap_lock for write. @inline */
export function vma_link(mm: Mm, vma: Vma, prev: Vma): void {
  const start = getUlong(vma, vm_area_struct.vm_start);
  const next = prev === NULL ? get(mm, mm_struct.mmap) : get(prev, vm_area_struct.vm_next);
  storeInTree(mm, vma, start, getUlong(vma, vm_area_struct.vm_end));
  set(vma, vm_area_struct.vm_prev, prev);
  set(vma, vm_area_struct.vm_next, next);
  if (prev === NULL) set(mm, mm_struct.mmap, vma);
  else set(prev, vm_area_struct.vm_next, vma);
  if (next !== NULL) set(next, vm_area_struct.vm_prev, vma);
  set(mm, mm_struct.map_count, get(mm, mm_struct.map_count) + 1);
}

/** Takes an area out of the mm; its pages must be gone or go elsewhere. Must hold mmap_lock for write. @inline */
export function vma_mas_remove(vma: Vma): void {
  const mm = get(vma, vm_area_struct.vm_mm);
  const prev = get(vma, vm_area_struct.vm_prev);
  const next = get(vma, vm_area_struct.vm_next);
  storeInTree(mm, 0, getUlong(vma, vm_area_struct.vm_start), getUlong(vma, vm_area_struct.vm_end));
  if (prev === NULL) set(mm, mm_struct.mmap, next);
  else set(prev, vm_area_struct.vm_next, next);
  if (next !== NULL) set(next, vm_area_struct.vm_prev, prev);
  set(mm, mm_struct.map_count, get(mm, mm_struct.map_count) - 1);
}

/** Changes an area's range to a larger one over free space. Must hold mmap_lock for write. */
export function vma_expand(vma: Vma, start: number, end: number): void {
  setUlong(vma, vm_area_struct.vm_start, start);
  setUlong(vma, vm_area_struct.vm_end, end);
  storeInTree(get(vma, vm_area_struct.vm_mm), vma, start, end);
}

/** Cuts an area in two at `addr`; `vma` keeps the lower part. Must hold mmap_lock for write. Returns the upper part. */
export function split_vma(vma: Vma, addr: number): Vma {
  const mm = get(vma, vm_area_struct.vm_mm);
  const upper = vm_area_alloc(mm, addr, getUlong(vma, vm_area_struct.vm_end), get(vma, vm_area_struct.vm_flags));
  anon_vma_clone(upper, vma);
  setUlong(vma, vm_area_struct.vm_end, addr);
  vma_link(mm, upper, vma);
  return upper;
}

/** May an area with these properties be joined with `vma`? @inline */
export function can_merge(vma: Vma, vm_flags: number, anon_vma: Ptr<'anon_vma'>): boolean {
  if (get(vma, vm_area_struct.vm_flags) !== vm_flags || get(vma, vm_area_struct.vm_file) !== 0) return false;
  const own = get(vma, vm_area_struct.anon_vma);
  return own === NULL || anon_vma === NULL || own === anon_vma;
}

/** The area that holds `address`, or NULL. Must hold mmap_lock, which stands for the read section that Linux opens here. @inline */
export function vma_lookup(mm: Mm, address: number): Vma {
  return mtree_lookup_walk(addressOf(mm, mm_struct.mm_mt), address) as Vma;
}
