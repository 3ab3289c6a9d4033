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
import { EXIT_EASY } from '../../kernel/trace/trace-ksm.ts';
import { EV_KSM_EXIT, EV_LOCK, EV_RUNLOCK, EV_UNLOCK, EV_VISIT, OBJ_MMAP_LOCK } from '../../kernel/trace/vocabulary.ts';
import { listen } from '../../machine/announce.ts';
import { load, nowNs, scannerLeftAt, setScannerLeftAt, store, waitFor } from './control.ts';
import { makeProcess, unmergePass } from './process.ts';
import type { Answers, ExitSamples } from './protocol.ts';

let turn = 0;

function hearScanner(event: number, object: number): void {
  if (event === EV_VISIT) store('visited', turn);
  else if (object === OBJ_MMAP_LOCK) setScannerLeftAt(nowNs());
}

/** The scanner's side of a block: a pass for each exit, until told to stop. */
export function scanExits(variant: KsmVariant): Answers['scan-exits'] {
  set_ksm_variant(variant);
  listen(hearScanner, [EV_VISIT, EV_RUNLOCK]);
  let passes = 0;
  for (turn = (load('done') + 1) | 0; ; turn = (turn + 1) | 0) {
    waitFor('turn', turn);
    if (load('stop') !== 0) break;
    unmergePass();
    passes++;
    store('done', turn);
  }
  store('stop', 0);
  listen(() => {}, []);
  store('done', turn);
  return { passes };
}

/** When `__ksm_exit` had decided, and when it had mmap_lock. */
let decidedAt = 0;
let lockedAt = 0;

function hearExit(event: number, object: number, _address: number, outcome: number): void {
  // When the slot stays, the release of ksm_mmlist_lock comes next, then the wait for mmap_lock. A slot that could be freed has no
  // scanner, and the next to take the lock is exit_mmap, after its work.
  if (event === EV_KSM_EXIT) decidedAt = outcome > EXIT_EASY ? -1 : 0;
  else if (event === EV_UNLOCK && decidedAt === -1) decidedAt = nowNs();
  else if (event === EV_LOCK && object === OBJ_MMAP_LOCK && decidedAt > 0 && lockedAt === 0) lockedAt = nowNs();
}

/** Tries per exit to find the scanner in the loop: on a busy machine one of the two may be off its core just then. */
const TRIES = 4;
/** On a crowded machine a meeting takes so long that a block ends before all its exits. */
const BLOCK_AT_MOST_NS = 50e6;
/** A loop shorter than this is over before its beginning can be seen from another core: no use in trying again. */
const SHORTEST_LOOP_NS = 1000;

/** One exit. @returns whether the scanner was still in the loop when it began */
function exitOnce(vmas: number, delayNs: number, into: ExitSamples): boolean {
  const mm = makeProcess(vmas, true);
  const mine = (load('turn') + 1) | 0;
  decidedAt = 0;
  lockedAt = 0;
  store('turn', mine);
  waitFor('visited', mine);
  for (const begun = nowNs(); nowNs() - begun < delayNs; );
  const start = nowNs();
  mmput(mm);
  const end = nowNs();
  waitFor('done', mine);
  const leavesNs = scannerLeftAt() - start;
  into.latencyUs.push((end - start) / 1000);
  into.lockWaitUs.push(lockedAt > 0 ? (lockedAt - decidedAt) / 1000 : 0);
  into.scannerLeavesUs.push(Math.max(0, leavesNs) / 1000);
  return leavesNs > 0;
}

/**
 * The exiter's side of a block. Only exits that began while the scanner was in the loop count, unless there were none at all
 * (with one area the loop is over before anybody can see it begin). When its time is up, a block ends with the exits it has.
 * @param places  for each exit the share of the loop that the scanner has behind it when the exit begins
 * @param loopNs  how long the loop takes when nobody exits
 */
export function exitExits(vmas: number, places: readonly number[], loopNs: number): Answers['exit-exits'] {
  const met: ExitSamples = { latencyUs: [], lockWaitUs: [], scannerLeavesUs: [] };
  const missed: ExitSamples = { latencyUs: [], lockWaitUs: [], scannerLeavesUs: [] };
  listen(hearExit, [EV_KSM_EXIT, EV_UNLOCK, EV_LOCK]);
  const most = loopNs < SHORTEST_LOOP_NS ? 1 : TRIES;
  const begun = nowNs();
  const late = (): boolean => nowNs() - begun > BLOCK_AT_MOST_NS;
  for (const [i, place] of places.entries()) {
    if (i > 0 && late()) break;
    for (let tries = 0; tries < most && (tries === 0 || !late()); tries++) {
      const samples: ExitSamples = { latencyUs: [], lockWaitUs: [], scannerLeavesUs: [] };
      const inLoop = exitOnce(vmas, place * loopNs, samples);
      const into = inLoop ? met : missed;
      into.latencyUs.push(...samples.latencyUs);
      into.lockWaitUs.push(...samples.lockWaitUs);
      into.scannerLeavesUs.push(...samples.scannerLeavesUs);
      if (inLoop) break;
    }
  }
  listen(() => {}, []);
  const end = (load('turn') + 1) | 0;
  store('stop', 1);
  store('turn', end);
  waitFor('done', end);
  const races = met.latencyUs.length;
  return { ...(races > 0 ? met : missed), inLoop: races / (races + missed.latencyUs.length) };
}
