/** The lock of a page (include/linux/pagemap.h, Linux 6.1): a sleeping lock that the validator knows nothing of. @notrace */

import type { Ptr } from '../../machine/layout.ts';
import { POINT_LOCK, POINT_TRYLOCK, POINT_UNLOCK, point } from '../../machine/points.ts';
import { acquireWordSlow, releaseWord, tryWord } from '../locking/word-lock.ts';
import { trace_page_lock, trace_page_unlock } from '../trace/trace-merge.ts';
import { page } from './mm_types.ts';

/** Takes it. May sleep. */
export function lock_page(p: Ptr<'page'>): void {
  point(POINT_LOCK, p + page.locked);
  if (!tryWord(p, page.locked)) acquireWordSlow(p, page.locked);
  trace_page_lock(p);
}

/** Takes it if it is free; tells whether it did. */
export function trylock_page(p: Ptr<'page'>): boolean {
  point(POINT_TRYLOCK, p + page.locked);
  if (!tryWord(p, page.locked)) return false;
  trace_page_lock(p);
  return true;
}

export function unlock_page(p: Ptr<'page'>): void {
  point(POINT_UNLOCK, p + page.locked);
  trace_page_unlock(p);
  releaseWord(p, page.locked);
}
