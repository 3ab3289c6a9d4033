/**
 * `anon_vma`: from an anonymous page back to the VMAs that may map it (mm/rmap.c, Linux 6.1).
 *
 * Simplified: a VMA points to one anon_vma, which counts the VMAs and rmap_items that refer to it; a forked VMA shares
 * its parent's, instead of a chain of both. The interval tree of VMAs is left out: nobody walks it here.
 */
import { addressOf, atomic_dec_return, atomic_inc_return, get, set } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { anon_vma, vm_area_struct } from '../include/mm_types.ts';
import { staticKey } from '../locking/lockdep/types.ts';
import { down_write, init_rwsem, up_write } from '../locking/rwsem.ts';
import { OBJ_ANON_VMA } from '../trace/vocabulary.ts';
import { KMEM_CACHE, kmem_cache_alloc, kmem_cache_free } from './slab.ts';

const anon_vma_cachep = KMEM_CACHE(anon_vma);
const anon_vma_key = staticKey('&anon_vma->rwsem');

/** Gives a VMA its anon_vma before the first page appears. Must hold mmap_lock. @inline */
export function anon_vma_prepare(vma: Ptr<'vm_area_struct'>): void {
  if (get(vma, vm_area_struct.anon_vma) !== NULL) return;
  const av = kmem_cache_alloc(anon_vma_cachep);
  init_rwsem(addressOf(av, anon_vma.rwsem), '&anon_vma->rwsem', anon_vma_key, OBJ_ANON_VMA);
  set(av, anon_vma.refcount, 1);
  set(vma, vm_area_struct.anon_vma, av);
}

/** A reference more. @inline */
export function get_anon_vma(av: Ptr<'anon_vma'>): void {
  atomic_inc_return(av, anon_vma.refcount);
}

/** A reference less; the last one frees it. @inline */
export function put_anon_vma(av: Ptr<'anon_vma'>): void {
  if (atomic_dec_return(av, anon_vma.refcount) === 0) __put_anon_vma(av);
}

function __put_anon_vma(av: Ptr<'anon_vma'>): void {
  kmem_cache_free(anon_vma_cachep, av);
}

/** The child's VMA refers to the parent's anon_vma. */
export function anon_vma_fork(vma: Ptr<'vm_area_struct'>, pvma: Ptr<'vm_area_struct'>): void {
  const av = get(pvma, vm_area_struct.anon_vma);
  if (av !== NULL) get_anon_vma(av);
  set(vma, vm_area_struct.anon_vma, av);
}

/** A VMA that was split or cut refers to the same anon_vma. @inline */
export function anon_vma_clone(vma: Ptr<'vm_area_struct'>, source: Ptr<'vm_area_struct'>): void {
  anon_vma_fork(vma, source);
}

/** The VMA goes away. */
export function unlink_anon_vmas(vma: Ptr<'vm_area_struct'>): void {
  const av = get(vma, vm_area_struct.anon_vma);
  if (av === NULL) return;
  down_write(addressOf(av, anon_vma.rwsem));
  set(vma, vm_area_struct.anon_vma, NULL);
  up_write(addressOf(av, anon_vma.rwsem));
  put_anon_vma(av);
}
