/**
 * Slab caches: fixed-size objects of one type each, with a state per object and counts per cache.
 *
 * | state | word | meaning |
 * |---|---|---|
 * | raw | 0 | never handed out |
 * | free | 1 | on a free list |
 * | live | 2 | handed out |
 * | quarantined | 3 | freed, kept back so that a use after free is seen (boot option heapCheck) |
 *
 * A task allocates from and frees to its own magazine (in its area, no atomics); magazines are filled from and
 * emptied to the cache's shared list, a batch at a time, under a word lock. The state bytes stand outside the objects,
 * at one per 32 bytes of arena, the first of an object's. Objects are handed out as they were left; callers zero what they need.
 */
import { EmulatorBug } from './errors.ts';
import { HEAP_CHECK as HEAP_CHECKED, heapFault, LEAST_ALIGN, noteGiver, noteTaker, poison, shadowGone, shadowLive } from './heap-check.ts';
import { NULL, type Ptr, type StructInfo } from './layout.ts';
import { arenaBytes, u8 as arenaBytes8, f64 as arenaUlongs, i32 as arenaWords, internName, sbrk, staticStorage } from './memory.ts';
import { AREA_INDEX, AREA_SLABS, areaOf, currentArea, MAX_TASKS, SLAB_CACHES } from './task-area.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const f64 = arenaUlongs;
const i32 = arenaWords;
const u8 = arenaBytes8;
const HEAP_CHECK = HEAP_CHECKED;

export const OBJECT_RAW = 0;
export const OBJECT_FREE = 1;
export const OBJECT_LIVE = 2;
export const OBJECT_QUARANTINED = 3;

/** Objects kept back per task and cache when heapCheck is on, a power of two. */
const QUARANTINE = 64;

/** Magazine words per task and cache: first free object, how many, net objects taken, quarantine index. */
const MAG_HEAD = 0;
const MAG_COUNT = 1;
const MAG_LIVE = 2;
const MAG_BYTES = 16;

/** Shared words per cache: lock, first object, how many; then, for all threads, the object size. */
const SHARED_BYTES = 64;
const S_LOCK = 0;
const S_HEAD = 1;
const S_COUNT = 2;
const S_SIZE = 3;
/** Objects that move between a magazine and the shared list at a time. */
const BATCH = 32;
/** Bytes taken from the arena at a time (or one object, if that is larger). */
const CHUNK = 16384;

const shared = staticStorage('slab_caches', SLAB_CACHES * SHARED_BYTES, 64).address;
const states = staticStorage('slab_states', arenaBytes >> 5, 64).address;
const quarantines = HEAP_CHECK ? staticStorage('slab_quarantine', MAX_TASKS * SLAB_CACHES * (QUARANTINE + 1) * 4, 64).address : 0;

/** A cache of objects of struct `S`. */
export interface SlabCache<S extends string> {
  readonly name: S;
  /** 0 to SLAB_CACHES - 1, the same in every thread. */
  readonly index: number;
  /** Bytes from one object to the next. */
  readonly bytes: number;
  readonly align: number;
  /** Are objects given back as the next taker wants them, all zero but for fields that every taker sets, the first among them? */
  readonly clean: boolean;
}
const caches: SlabCache<string>[] = [];

/**
 * Makes, or attaches to, the cache for `of`. Call once per type, at module evaluation.
 * @param clean  see {@link SlabCache.clean}
 */
export function slabCache<S extends string>(of: StructInfo<S>, clean = false): SlabCache<S> {
  const index = internName('slab', of.NAME);
  if (index >= SLAB_CACHES) throw new EmulatorBug(`more than ${SLAB_CACHES - 1} slab caches (${of.NAME})`);
  const align = Math.max(LEAST_ALIGN, of.ALIGN);
  const bytes = Math.ceil(of.SIZE / align) * align;
  const cache = { name: of.NAME, index, bytes, align, clean };
  i32[((shared + index * SHARED_BYTES) >> 2) + S_SIZE] = bytes;
  caches[index] = cache;
  return cache;
}

function lockShared(at: number): void {
  while (Atomics.compareExchange(i32, at, 0, 1) !== 0) {
    for (let i = 0; i < 100 && Atomics.load(i32, at) !== 0; i++);
    if (Atomics.load(i32, at) !== 0) Atomics.wait(i32, at, 1, 1);
  }
}

/** Fills an empty magazine from the shared list, or from fresh memory. */
function refill(cache: SlabCache<string>, mag: number): void {
  const at = (shared + cache.index * SHARED_BYTES) >> 2;
  lockShared(at + S_LOCK);
  let head = 0;
  let taken = 0;
  while (taken < BATCH && i32[at + S_HEAD] !== 0) {
    const object = i32[at + S_HEAD] as number;
    i32[at + S_HEAD] = i32[object >> 2] as number;
    i32[object >> 2] = head;
    head = object;
    taken++;
  }
  i32[at + S_COUNT] = (i32[at + S_COUNT] as number) - taken;
  Atomics.store(i32, at + S_LOCK, 0);
  if (taken === 0) {
    const count = Math.max(1, Math.floor(CHUNK / cache.bytes));
    const start = sbrk(count * cache.bytes, cache.align, `a slab of ${cache.name}`);
    for (let i = count - 1; i >= 0; i--) {
      const object = start + i * cache.bytes;
      if (HEAP_CHECK) shadowGone(object, cache.bytes);
      u8[states + (object >> 5)] = OBJECT_FREE;
      i32[object >> 2] = head;
      head = object;
    }
    taken = count;
  }
  i32[mag + MAG_HEAD] = head;
  i32[mag + MAG_COUNT] = taken;
}

/** Gives a batch of an overfull magazine to the shared list. */
function spill(cache: SlabCache<string>, mag: number): void {
  const at = (shared + cache.index * SHARED_BYTES) >> 2;
  lockShared(at + S_LOCK);
  for (let i = 0; i < BATCH; i++) {
    const object = i32[mag + MAG_HEAD] as number;
    i32[mag + MAG_HEAD] = i32[object >> 2] as number;
    i32[object >> 2] = i32[at + S_HEAD] as number;
    i32[at + S_HEAD] = object;
  }
  i32[at + S_COUNT] = (i32[at + S_COUNT] as number) + BATCH;
  Atomics.store(i32, at + S_LOCK, 0);
  i32[mag + MAG_COUNT] = (i32[mag + MAG_COUNT] as number) - BATCH;
}

/** Takes an object, as it was left. */
function take(cache: SlabCache<string>): number {
  const mag = (currentArea() + AREA_SLABS + cache.index * MAG_BYTES) >> 2;
  if (i32[mag + MAG_HEAD] === 0) refill(cache, mag);
  const object = i32[mag + MAG_HEAD] as number;
  i32[mag + MAG_HEAD] = i32[object >> 2] as number;
  i32[mag + MAG_COUNT] = (i32[mag + MAG_COUNT] as number) - 1;
  i32[mag + MAG_LIVE] = (i32[mag + MAG_LIVE] as number) + 1;
  u8[states + (object >> 5)] = OBJECT_LIVE;
  if (HEAP_CHECK) {
    shadowLive(object, cache.bytes);
    noteTaker(object, cache.index);
  }
  return object;
}

/**
 * Takes an object. Its content is undefined, but that of a clean cache.
 * @throws ArenaExhausted
 */
export function slabAlloc<S extends string>(cache: SlabCache<S>): Ptr<S> {
  const object = take(cache);
  if (HEAP_CHECK && !cache.clean) poison(object, cache.bytes);
  return object as Ptr<S>;
}

/**
 * Takes an object of zeroes.
 * @throws ArenaExhausted
 */
export function slabZalloc<S extends string>(cache: SlabCache<S>): Ptr<S> {
  const object = take(cache);
  const end = (object + cache.bytes) >> 3;
  for (let at = object >> 3; at < end; at++) f64[at] = 0;
  return object as Ptr<S>;
}

/** Fault injection, as the kernel's failslab: how many allocations of which cache still succeed. */
let failCache = -1;
let failAfter = 0;

/** From now on {@link slabTryAlloc} of this thread fails for `cache` after `successes` more calls; undefined switches that off. */
export function failAllocations(cache: SlabCache<string> | undefined, successes = 0): void {
  failCache = cache === undefined ? -1 : cache.index;
  failAfter = successes;
}

/**
 * As {@link slabAlloc}, but NULL when a failure is injected.
 * @throws ArenaExhausted
 */
export function slabTryAlloc<S extends string>(cache: SlabCache<S>): Ptr<S> {
  if (cache.index === failCache && failAfter-- <= 0) return NULL;
  return slabAlloc(cache);
}

/** Swaps a freed object against the one that has been in quarantine longest; 0 while that has room. */
function quarantine(cache: SlabCache<string>, object: number): number {
  const task = i32[(currentArea() + AREA_INDEX) >> 2] as number;
  const at = (quarantines >> 2) + (task * SLAB_CACHES + cache.index) * (QUARANTINE + 1);
  const next = i32[at] as number;
  i32[at] = (next + 1) & (QUARANTINE - 1);
  const oldest = i32[at + 1 + next] as number;
  i32[at + 1 + next] = object;
  return oldest;
}

/**
 * Gives an object back.
 * @throws EmulatorBug when it is not live (double free) and heapCheck is off
 */
export function slabFree<S extends string>(cache: SlabCache<S>, object: Ptr<S>): void {
  const state = u8[states + (object >> 5)] as number;
  if (HEAP_CHECK && state !== OBJECT_LIVE) {
    heapFault('double-free', object, object, true);
    return;
  }
  if (state !== OBJECT_LIVE) throw new EmulatorBug(`double free of ${cache.name} at ${object} (state ${state})`);
  const mag = (currentArea() + AREA_SLABS + cache.index * MAG_BYTES) >> 2;
  i32[mag + MAG_LIVE] = (i32[mag + MAG_LIVE] as number) - 1;
  let back = object as number;
  if (HEAP_CHECK) {
    u8[states + (object >> 5)] = OBJECT_QUARANTINED;
    shadowGone(object, cache.bytes);
    noteGiver(object, cache.index);
    back = quarantine(cache, object);
    if (back === 0) return;
  }
  u8[states + (back >> 5)] = OBJECT_FREE;
  i32[back >> 2] = i32[mag + MAG_HEAD] as number;
  i32[mag + MAG_HEAD] = back;
  const count = (i32[mag + MAG_COUNT] as number) + 1;
  i32[mag + MAG_COUNT] = count;
  if (count >= 3 * BATCH && cache.bytes * count > CHUNK) spill(cache, mag);
}

/** State of the object that begins at `address` (OBJECT_*). */
export function objectState(address: number): number {
  return u8[states + (address >> 5)] as number;
}

/** Live objects of a cache over all tasks; exact while no task allocates. */
export function liveObjects(cache: SlabCache<string>): number {
  let sum = 0;
  for (let task = 0; task < MAX_TASKS; task++)
    sum += i32[((areaOf(task) + AREA_SLABS + cache.index * MAG_BYTES) >> 2) + MAG_LIVE] as number;
  return sum;
}

/** Live objects of every cache by name: what must be back at its baseline after a trial. */
export function slabInfo(): Record<string, number> {
  const out: Record<string, number> = {};
  for (const cache of caches) if (cache !== undefined) out[cache.name] = liveObjects(cache);
  return out;
}

/** Name of cache number `index`, if this thread has loaded its module. */
export function cacheName(index: number): string {
  return caches[index]?.name ?? 'unknown object';
}

/** Bytes of the objects of cache number `index`. */
export function cacheBytes(index: number): number {
  return caches[index]?.bytes ?? 0;
}
