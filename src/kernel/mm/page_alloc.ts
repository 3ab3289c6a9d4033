/**
 * Page frames: allocation and references (mm/page_alloc.c, mm/swap.c, Linux 6.1). Left out: zones, orders, reclaim.
 *
 * Frames are unlimited (up to the size of the arena) unless {@link set_frame_limit} says how many there are. Only then are they
 * counted in one place, because a shared counter costs every fault an atomic.
 */
import { atomic_add_return, atomic_dec_return, atomic_inc_return, atomic_read, get, READ_ONCE, set } from '../../machine/door.ts';
import { NULL, type Ptr, struct, word } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { liveObjects } from '../../machine/slab.ts';
import { awaitChange, wakeWord } from '../../machine/wait.ts';
import { page } from '../include/mm_types.ts';
import { current, task_struct } from '../include/task_struct.ts';
import { should_fail } from '../lib/fault-inject.ts';
import { trace_page_free } from '../trace/trace-merge.ts';
import { oom_waits, out_of_memory } from './oom_kill.ts';
import { clearContent, freeContent } from './page-content.ts';
import { KMEM_CACHE, kmem_cache_alloc, kmem_cache_free } from './slab.ts';

type Page = Ptr<'page'>;

const page_cachep = KMEM_CACHE(page);

export const frame_pool = struct('frame_pool', {
  /** How many frames there are; 0: as many as fit. Written while no task runs. */
  limit: word,
  /** Frames that are free, when limited. Atomic. */
  nr_free: word,
  /** Counts frames given back and victims gone: what an allocation waits for. Atomic. */
  relief: word,
});
export const frames = staticStorage('frame_pool', frame_pool.SIZE).address as Ptr<'frame_pool'>;

const zero = staticStorage('zero_page', page.SIZE);
/** The page of zeros that everybody may map read-only; it has no counts. */
export const ZERO_PAGE = zero.address as Page;
if (zero.fresh) set(ZERO_PAGE, page._refcount, 1);

/** From now on there are `limit` frames in all (0: as many as fit the arena). Call it while no task runs. */
export function set_frame_limit(limit: number): void {
  set(frames, frame_pool.limit, limit);
  set(frames, frame_pool.nr_free, Math.max(0, limit - liveObjects(page_cachep)));
}

/** A frame of zeros with one reference, mapped nowhere; NULL when there is none. Does not wait. @inline */
function get_page_from_freelist(): Page {
  if (get(frames, frame_pool.limit) !== 0 && atomic_add_return(-1, frames, frame_pool.nr_free) < 0) {
    atomic_inc_return(frames, frame_pool.nr_free);
    return NULL;
  }
  const p = kmem_cache_alloc(page_cachep);
  set(p, page._refcount, 1);
  set(p, page._mapcount, -1);
  set(p, page.locked, 0);
  set(p, page.mapping, 0);
  clearContent(p);
  return p;
}

/**
 * A frame of zeros with one reference, mapped nowhere. When none is left, somebody is killed, and the caller waits for the frames
 * of that process. May sleep.
 * @returns NULL when the caller itself was chosen, or nobody could be
 */
export function alloc_page(): Page {
  if (should_fail()) return NULL;
  const p = get_page_from_freelist();
  return p !== NULL ? p : __alloc_pages_slowpath();
}

function __alloc_pages_slowpath(): Page {
  for (;;) {
    // Read before looking, so that what is freed in between ends the wait.
    const seen = atomic_read(frames, frame_pool.relief);
    const p = get_page_from_freelist();
    if (p !== NULL) return p;
    if (READ_ONCE(current(), task_struct.oom_victim) !== 0 || !out_of_memory()) return NULL;
    if (READ_ONCE(current(), task_struct.oom_victim) !== 0) return NULL;
    if (oom_waits()) awaitChange(frames, frame_pool.relief, seen);
  }
}

/** Frames may be free now, or another victim may be needed: lets those who wait look again. @inline */
export function announce_relief(): void {
  atomic_inc_return(frames, frame_pool.relief);
  wakeWord(frames, frame_pool.relief);
}

/** @inline */
export function get_page(p: Page): void {
  atomic_inc_return(p, page._refcount);
}

/** Drops a reference; the last one frees the frame. @inline */
export function put_page(p: Page): void {
  if (atomic_dec_return(p, page._refcount) === 0) free_page(p);
}

/** @inline */
function free_page(p: Page): void {
  trace_page_free(p);
  set(p, page.mapping, 0);
  freeContent(p);
  kmem_cache_free(page_cachep, p);
  if (get(frames, frame_pool.limit) === 0) return;
  atomic_inc_return(frames, frame_pool.nr_free);
  announce_relief();
}

/** @inline */
export function page_count(p: Page): number {
  return atomic_read(p, page._refcount);
}

/** Page-table entries that map the page. @inline */
export function page_mapcount(p: Page): number {
  return atomic_read(p, page._mapcount) + 1;
}

/** Frames in use. Exact while no task allocates. */
export function frames_in_use(): number {
  return liveObjects(page_cachep);
}
