/** Iteration: the time of whole unmerge passes over one process that does not exit. Runs in the threads. */

import { mmput } from '../../kernel/fork.ts';
import { mmget } from '../../kernel/include/sched-mm.ts';
import { type KsmVariant, set_ksm_variant } from '../../kernel/mm/ksm-variants.ts';
import type { Ptr } from '../../machine/layout.ts';
import { load, nowNs, store, waitFor } from './control.ts';
import { unmergePass } from './process.ts';
import type { Answers } from './protocol.ts';
import type { Condition } from './result.ts';

/** Larger than the second-level cache of today's cores and than most slices of the third. */
const EVICT_BYTES = 8 << 20;
const CACHE_LINE = 64;
/** A cold pass is timed alone, after other data went through the caches; so few fill a block. */
const COLD_PASSES = 4;

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

/** One block of passes. @param nanoseconds  about how long it shall take */
export function iterate(variant: KsmVariant, nanoseconds: number, condition: Condition): Answers['iterate'] {
  set_ksm_variant(variant);
  if (condition.counter === 'noisy') waitFor('running', 1);
  const ns = condition.cache === 'cold' ? coldBlock() : warmBlock(nanoseconds);
  if (condition.counter === 'noisy') store('stop', 1);
  return { passNs: ns };
}

/** Takes and drops references on `mm` until told to stop: keeps the cache line of mm_users on the move. */
export function makeNoise(mm: Ptr<'mm_struct'>): Answers['noise'] {
  let writes = 0;
  store('running', 1);
  while (load('stop') === 0) {
    mmget(mm);
    mmput(mm);
    writes += 2;
  }
  store('stop', 0);
  store('running', 0);
  return { writes };
}

/** What {@link evict} summed up, so that it is not optimised away. */
export function evicted(): number {
  return sink;
}
