/** The stepped twin of machine/slab, over the heap of stepped tasks (heap.ts). Caches are the same ones. */
import { NULL, type Ptr, type StructInfo } from '../layout.ts';
import { internName } from '../memory.ts';
import type { SlabCache } from '../slab.ts';
import { HEAP_FREED, HEAP_LIVE, heapGive, heapLive, heapState, heapTake } from './heap.ts';

// What is not replaced below is the same; local exports come before starred ones.
export * from '../slab.ts';

const caches: SlabCache<string>[] = [];

/** Name of cache number `index`, for reports. */
export function cacheName(index: number): string {
  return caches[index]?.name ?? 'unknown object';
}

/** Bytes of the objects of cache number `index`. */
export function cacheBytes(index: number): number {
  return caches[index]?.bytes ?? 0;
}

export function slabCache<S extends string>(of: StructInfo<S>, clean = false): SlabCache<S> {
  const index = internName('slab', of.NAME);
  const align = Math.max(32, of.ALIGN);
  const cache = { name: of.NAME, index, bytes: Math.ceil(of.SIZE / align) * align, align, clean };
  caches[index] = cache;
  return cache;
}

export function slabAlloc<S extends string>(cache: SlabCache<S>): Ptr<S> {
  return heapTake(cache.bytes, cache.align, cache.index, cache.clean) as Ptr<S>;
}

export function slabZalloc<S extends string>(cache: SlabCache<S>): Ptr<S> {
  return heapTake(cache.bytes, cache.align, cache.index, true) as Ptr<S>;
}

let failCache = -1;
let failAfter = 0;

export function failAllocations(cache: SlabCache<string> | undefined, successes = 0): void {
  failCache = cache === undefined ? -1 : cache.index;
  failAfter = successes;
}

export function slabTryAlloc<S extends string>(cache: SlabCache<S>): Ptr<S> {
  if (cache.index === failCache && failAfter-- <= 0) return NULL;
  return slabAlloc(cache);
}

export function slabFree<S extends string>(cache: SlabCache<S>, object: Ptr<S>): void {
  heapGive(object, cache.bytes, cache.index);
}

/** HEAP_* and OBJECT_* agree on raw, live and quarantined; nothing here is ever free to be handed out again. */
export function objectState(address: number): number {
  const state = heapState(address);
  return state === HEAP_LIVE || state === HEAP_FREED ? state : 0;
}

export function liveObjects(cache: SlabCache<string>): number {
  return heapLive(cache.index);
}

export function slabInfo(): Record<string, number> {
  const out: Record<string, number> = {};
  for (const cache of caches) if (cache !== undefined) out[cache.name] = liveObjects(cache);
  return out;
}
