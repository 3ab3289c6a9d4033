/** `kmem_cache`: the kernel's names for slab caches (mm/slab.c, Linux 6.1). The mechanism is machine/slab.ts. @notrace */
import { zero } from '../../machine/door.ts';
import type { Ptr, Struct, StructInfo } from '../../machine/layout.ts';
import { type SlabCache, slabAlloc, slabCache, slabFree } from '../../machine/slab.ts';
import { debug_check_no_locks_freed } from '../locking/lockdep/asserts.ts';
import '../kasan.ts';

/** Makes the cache for a struct. */
export function KMEM_CACHE<S extends string>(of: StructInfo<S>): SlabCache<S> {
  return slabCache(of);
}

/** An object with undefined content. */
export function kmem_cache_alloc<S extends string>(cache: SlabCache<S>): Ptr<S> {
  return slabAlloc(cache);
}

/** An object of zeroes. */
export function kmem_cache_zalloc<S extends string>(cache: SlabCache<S>, of: Struct<S, unknown>): Ptr<S> {
  const object = slabAlloc(cache);
  zero(object, of);
  return object;
}

export function kmem_cache_free<S extends string>(cache: SlabCache<S>, object: Ptr<S>): void {
  debug_check_no_locks_freed(object, cache.bytes);
  slabFree(cache, object);
}
