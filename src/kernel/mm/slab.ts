/** `kmem_cache`: the kernel's names for slab caches (mm/slab.c, Linux 6.1). The mechanism is machine/slab.ts. @notrace */
import type { Ptr, StructInfo } from '../../machine/layout.ts';
import { type SlabCache, slabAlloc, slabCache, slabFree, slabZalloc } from '../../machine/slab.ts';
import { debug_check_no_locks_freed } from '../locking/lockdep/asserts.ts';
import '../kasan.ts';

/**
 * Makes the cache for a struct.
 * @param clean  objects go back as the next taker wants them: zero, but for fields that every taker sets
 */
export function KMEM_CACHE<S extends string>(of: StructInfo<S>, clean = false): SlabCache<S> {
  return slabCache(of, clean);
}

/** An object with undefined content. */
export function kmem_cache_alloc<S extends string>(cache: SlabCache<S>): Ptr<S> {
  return slabAlloc(cache);
}

/** An object of zeroes. */
export function kmem_cache_zalloc<S extends string>(cache: SlabCache<S>): Ptr<S> {
  return slabZalloc(cache);
}

export function kmem_cache_free<S extends string>(cache: SlabCache<S>, object: Ptr<S>): void {
  debug_check_no_locks_freed(object, cache.bytes);
  slabFree(cache, object);
}
