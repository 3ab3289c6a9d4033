/**
 * Exit latency: a process exits while the scanner is in the loop over its areas. Runs in the threads.
 *
 * ```
 * scanner                              exiter
 *                                      makes a process, turn := n
 * unmerge pass ... mmap_read_lock
 * visited := n (tracepoint)
 *                                      waits for the place in the loop, mmput, takes the time
 * mmap_read_unlock: left_at := now
 * done := n
 * ```
 */

import { mmput } from '../../kernel/fork.ts';
import { type KsmVariant, set_ksm_variant } from '../../kernel/mm/ksm-variants.ts';
import { EV_KSM_EXIT, EV_LOCK, EV_RUNLOCK, EV_UNLOCK, EV_VISIT, OBJ_MMAP_LOCK } from '../../kernel/trace/vocabulary.ts';
import { listen } from '../../machine/announce.ts';
import { load, nowNs, scannerLeftAt, setScannerLeftAt, store, waitFor } from './control.ts';
import { makeProcess, unmergePass } from './process.ts';
import type { Answers } from './protocol.ts';

let turn = 0;

function hearScanner(event: number, object: number): void {
  if (event === EV_VISIT) store('visited', turn);
  else if (object === OBJ_MMAP_LOCK) setScannerLeftAt(nowNs());
}

/** The scanner's side of a block: a pass for each exit. */
export function scanExits(variant: KsmVariant, exits: number): Answers['scan-exits'] {
  set_ksm_variant(variant);
  listen(hearScanner, [EV_VISIT, EV_RUNLOCK]);
  turn = load('done');
  for (let i = 0; i < exits; i++) {
    turn = (turn + 1) | 0;
    waitFor('turn', turn);
    unmergePass();
    store('done', turn);
  }
  listen(() => {}, []);
  return {};
}

/** When `__ksm_exit` had decided, and when it had mmap_lock. */
let decidedAt = 0;
let lockedAt = 0;

function hearExit(event: number, object: number): void {
  // After EV_KSM_EXIT comes the release of ksm_mmlist_lock, then the wait for mmap_lock.
  if (event === EV_KSM_EXIT) decidedAt = -1;
  else if (event === EV_UNLOCK && decidedAt === -1) decidedAt = nowNs();
  else if (event === EV_LOCK && object === OBJ_MMAP_LOCK && decidedAt > 0 && lockedAt === 0) lockedAt = nowNs();
}

/**
 * The exiter's side of a block.
 * @param places  for each exit the share of the loop that the scanner has behind it when the exit begins
 * @param loopNs  how long the loop takes when nobody exits
 */
export function exitExits(vmas: number, places: readonly number[], loopNs: number): Answers['exit-exits'] {
  const out: Answers['exit-exits'] = { latencyUs: [], lockWaitUs: [], scannerLeavesUs: [] };
  listen(hearExit, [EV_KSM_EXIT, EV_UNLOCK, EV_LOCK]);
  for (const place of places) {
    const mm = makeProcess(vmas, true);
    const mine = (load('turn') + 1) | 0;
    decidedAt = 0;
    lockedAt = 0;
    store('turn', mine);
    waitFor('visited', mine);
    for (const begun = nowNs(); nowNs() - begun < place * loopNs; );
    const start = nowNs();
    mmput(mm);
    const end = nowNs();
    waitFor('done', mine);
    out.latencyUs.push((end - start) / 1000);
    out.lockWaitUs.push(lockedAt > 0 ? (lockedAt - decidedAt) / 1000 : 0);
    out.scannerLeavesUs.push(Math.max(0, scannerLeftAt() - start) / 1000);
  }
  listen(() => {}, []);
  return out;
}
