/**
 * Looks at a page that may be free by now: Linux's array of `struct page` is always there, so a stale pointer into it may be followed.
 * Elsewhere such an access is a use after free, and the heap checkers say so; not here. @notrace
 */

import type { Ptr } from '../../machine/layout.ts';
import { i32 as arenaWords } from '../../machine/memory.ts';
import { POINT_READ, POINT_RMW, point } from '../../machine/points.ts';
import { page } from '../include/mm_types.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** The mapping of a page that may be free: then it is NULL. */
export function peekMapping(p: Ptr<'page'>): number {
  point(POINT_READ, p + page.mapping);
  return i32[(p + page.mapping) >> 2] as number;
}

/** {@link peekMapping} while no task runs: no scheduling point. */
export function mappingAtRest(p: Ptr<'page'>): number {
  return i32[(p + page.mapping) >> 2] as number;
}

/** A reference unless the page is free; tells whether it was had. */
export function get_page_unless_zero(p: Ptr<'page'>): boolean {
  point(POINT_RMW, p + page._refcount);
  const index = (p + page._refcount) >> 2;
  for (let seen = i32[index] as number; seen !== 0; seen = i32[index] as number) {
    if (Atomics.compareExchange(i32, index, seen, seen + 1) === seen) return true;
  }
  return false;
}
