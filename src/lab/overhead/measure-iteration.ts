/**
 * Iteration: the time of unmerge passes over one process that does not exit. Runs in the threads.
 *
 * With a quiet counter whole passes are timed. While the other thread writes the counter and forks the process, a pass also waits for
 * mmap_lock and visits the children; so only the loop over the process itself is timed there.
 */

import { dup_mm, mmput } from '../../kernel/fork.ts';
import { mmget } from '../../kernel/include/sched-mm.ts';
import { type KsmVariant, set_ksm_variant } from '../../kernel/mm/ksm-variants.ts';
import { EV_RUNLOCK, EV_VISIT, OBJ_MMAP_LOCK } from '../../kernel/trace/vocabulary.ts';
import { listen } from '../../machine/announce.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { load, nowNs, store, waitFor } from './control.ts';
import { unmergePass } from './process.ts';
import type { Answers } from './protocol.ts';
import type { Condition } from './result.ts';

/** Larger than the second-level cache of today's cores and than most slices of the third. */
const EVICT_BYTES = 8 << 20;
const CACHE_LINE = 64;
/** A cold pass is timed alone, after other data went through the caches; so few fill a block. */
const COLD_PASSES = 4;
/** Times the length of a block that a noisy one may take in all: most of it can be waiting for forks. */
const NOISY_BLOCK_AT_MOST = 5;
/** References that are taken and dropped between two looks at the clock. */
const GETS_PER_LOOK = 16;

let evictor: Uint8Array | undefined;
let sink = 0;

/** Reads and writes memory of its own until little of ours is left in the caches. */
function evict(): void {
  evictor ??= new Uint8Array(EVICT_BYTES);
  for (let i = 0; i < EVICT_BYTES; i += CACHE_LINE) sink += evictor[i]++;
}

/** Passes of the last block took so long: how many fill the next one. */
let passNs = 1000;

function warmBlock(nanoseconds: number): number {
  const passes = Math.max(1, Math.round(nanoseconds / passNs));
  const start = nowNs();
  for (let i = 0; i < passes; i++) unmergePass();
  passNs = (nowNs() - start) / passes;
  return passNs;
}

function coldBlock(): number {
  let sum = 0;
  for (let i = 0; i < COLD_PASSES; i++) {
    evict();
    const start = nowNs();
    unmergePass();
    sum += nowNs() - start;
  }
  return sum / COLD_PASSES;
}

/** The process whose loop is timed, when that began (0: it is not in the loop), and the sums of the block. */
let watched: Ptr<'mm_struct'> = NULL;
let loopBegan = 0;
let loopNs = 0;
let loops = 0;

function hearLoop(event: number, object: number, address: number): void {
  if (event === EV_VISIT) loopBegan = address === watched ? nowNs() : 0;
  else if (object === OBJ_MMAP_LOCK && loopBegan !== 0) {
    loopNs += nowNs() - loopBegan;
    loops++;
    loopBegan = 0;
  }
}

/** Passes until the loops over `mm` alone have taken so long, or all of it {@link NOISY_BLOCK_AT_MOST} times as long. */
function noisyBlock(mm: Ptr<'mm_struct'>, nanoseconds: number): number {
  watched = mm;
  loopNs = 0;
  loops = 0;
  waitFor('running', 1);
  listen(hearLoop, [EV_VISIT, EV_RUNLOCK]);
  for (const begun = nowNs(); loops === 0 || (loopNs < nanoseconds && nowNs() - begun < NOISY_BLOCK_AT_MOST * nanoseconds); ) unmergePass();
  listen(() => {}, []);
  store('stop', 1);
  return loopNs / loops;
}

/** One block of passes over `mm`. @param nanoseconds  about how long it shall take */
export function iterate(mm: Ptr<'mm_struct'>, variant: KsmVariant, nanoseconds: number, { cache, counter }: Condition): Answers['iterate'] {
  set_ksm_variant(variant);
  if (counter === 'noisy') return { passNs: noisyBlock(mm, nanoseconds) };
  return { passNs: cache === 'cold' ? coldBlock() : warmBlock(nanoseconds) };
}

/**
 * Threads of the process come and go, and it forks, until told to stop: references on `mm` taken and dropped keep the cache line of
 * mm_users on the move; a fork copies the areas, and its end takes the copy away.
 */
export function makeNoise(mm: Ptr<'mm_struct'>): Answers['noise'] {
  let writes = 0;
  let forks = 0;
  let now = nowNs();
  store('running', 1);
  while (load('stop') === 0) {
    const begun = now;
    mmput(dup_mm(mm));
    forks++;
    const forked = nowNs();
    // As long as the fork took: neither of the two is all there is.
    do {
      for (let i = 0; i < GETS_PER_LOOK; i++) {
        mmget(mm);
        mmput(mm);
      }
      writes += 2 * GETS_PER_LOOK;
      now = nowNs();
    } while (now - forked < forked - begun && load('stop') === 0);
  }
  store('stop', 0);
  store('running', 0);
  return { writes, forks };
}

/** What {@link evict} summed up, so that it is not optimised away. */
export function evicted(): number {
  return sink;
}
