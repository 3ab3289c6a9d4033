/** Page frames: allocation and references (mm/page_alloc.c, mm/swap.c, Linux 6.1). Left out: zones, orders, reclaim. @notrace */
import { atomic_dec_return, atomic_inc_return, set, setUlong } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { page } from '../include/mm_types.ts';
import { KMEM_CACHE, kmem_cache_alloc, kmem_cache_free } from './slab.ts';

const page_cachep = KMEM_CACHE(page);

/** A frame with one reference, mapped nowhere. */
export function alloc_page(): Ptr<'page'> {
  const p = kmem_cache_alloc(page_cachep);
  set(p, page._refcount, 1);
  set(p, page._mapcount, -1);
  set(p, page.flags, 0);
  set(p, page.mapping, 0);
  setUlong(p, page.index, 0);
  setUlong(p, page.content, 0);
  return p;
}

export function get_page(p: Ptr<'page'>): void {
  atomic_inc_return(p, page._refcount);
}

/** Drops a reference; the last one frees the frame. */
export function put_page(p: Ptr<'page'>): void {
  if (atomic_dec_return(p, page._refcount) === 0) kmem_cache_free(page_cachep, p);
}
