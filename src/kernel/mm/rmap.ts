/**
 * `anon_vma`: from an anonymous page back to the VMAs that may map it (mm/rmap.c, Linux 6.1).
 *
 * Simplified: a VMA points to one anon_vma; a forked VMA shares its parent's, instead of a chain of both. In place of the
 * interval tree of VMAs stands their number: nobody walks the tree here, but all VMAs on it together hold one reference.
 */
import { addressOf, atomic_dec_return, atomic_inc_return, cmpxchg, get, set } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { anon_vma, vm_area_struct } from '../include/mm_types.ts';
import { staticKey } from '../locking/lockdep/types.ts';
import { down_write, init_rwsem, up_write } from '../locking/rwsem.ts';
import { OBJ_ANON_VMA } from '../trace/vocabulary.ts';
import { KMEM_CACHE, kmem_cache_alloc, kmem_cache_free } from './slab.ts';

const anon_vma_cachep = KMEM_CACHE(anon_vma);
const anon_vma_key = staticKey('&anon_vma->rwsem');

/**
 * Gives a VMA its anon_vma before the first page appears. Must hold mmap_lock. Several tasks may come at once: one
 * of them wins (Linux decides under the page-table lock). @inline
 */
export function anon_vma_prepare(vma: Ptr<'vm_area_struct'>): void {
  if (get(vma, vm_area_struct.anon_vma) !== NULL) return;
  const av = kmem_cache_alloc(anon_vma_cachep);
  init_rwsem(addressOf(av, anon_vma.rwsem), '&anon_vma->rwsem', anon_vma_key, OBJ_ANON_VMA);
  set(av, anon_vma.refcount, 1);
  set(av, anon_vma.nr_vmas, 1);
  if (cmpxchg(vma, vm_area_struct.anon_vma, NULL, av) !== NULL) kmem_cache_free(anon_vma_cachep, av);
}

/** A reference more; gives their number. @inline */
export function get_anon_vma(av: Ptr<'anon_vma'>): number {
  return atomic_inc_return(av, anon_vma.refcount);
}

/** A reference less; the last one frees it. Gives their number. @inline */
export function put_anon_vma(av: Ptr<'anon_vma'>): number {
  const left = atomic_dec_return(av, anon_vma.refcount);
  if (left === 0) __put_anon_vma(av);
  return left;
}

function __put_anon_vma(av: Ptr<'anon_vma'>): void {
  kmem_cache_free(anon_vma_cachep, av);
}

/** The child's VMA refers to the parent's anon_vma. */
export function anon_vma_fork(vma: Ptr<'vm_area_struct'>, pvma: Ptr<'vm_area_struct'>): void {
  anon_vma_clone(vma, pvma);
}

/** `vma` refers to the anon_vma of `source` too, whose own reference keeps it. @inline */
export function anon_vma_clone(vma: Ptr<'vm_area_struct'>, source: Ptr<'vm_area_struct'>): void {
  const av = get(source, vm_area_struct.anon_vma);
  if (av !== NULL) atomic_inc_return(av, anon_vma.nr_vmas);
  set(vma, vm_area_struct.anon_vma, av);
}

/** The VMA goes away. */
export function unlink_anon_vmas(vma: Ptr<'vm_area_struct'>): void {
  const av = get(vma, vm_area_struct.anon_vma);
  if (av === NULL) return;
  down_write(addressOf(av, anon_vma.rwsem));
  set(vma, vm_area_struct.anon_vma, NULL);
  const vmas = atomic_dec_return(av, anon_vma.nr_vmas);
  up_write(addressOf(av, anon_vma.rwsem));
  if (vmas === 0) put_anon_vma(av);
}
