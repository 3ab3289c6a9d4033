/**
 * The paired shape: one unmerge pass against one exiting process, trial after trial, started together at a gate.
 *
 * The process leads: it builds a fresh mm (and, for a scanned one, lets ksmd's scan go over it), sets the waits of
 * the trial, and passes the gate together with the scanner. Behind it the process exits and the scanner writes 2 to `run`.
 * Both meet at the gate again, so that no trial reaches into the next.
 */

import { mmput } from '../../kernel/fork.ts';
import { mutex_lock, mutex_unlock } from '../../kernel/locking/mutex.ts';
import { run_store } from '../../kernel/mm/ksm.ts';
import { ksm_do_scan } from '../../kernel/mm/ksm-scan.ts';
import { ksm_thread_mutex } from '../../kernel/mm/ksm-types.ts';
import { reportsCounted } from '../../kernel/printk.ts';
import { aimRound, closeAimedRound, openAimedRound, pointsPassed, sitesSeen } from '../../machine/aimed.ts';
import { get, set } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { loadWord, storeWord } from '../../machine/lockword.ts';
import { resetRing } from '../../machine/recorder.ts';
import { seededRandom } from '../stats/random.ts';
import { AimedDelays } from './aim.ts';
import { checkPages } from './check-pages.ts';
import { count, countersOf, taskCounters } from './counters.ts';
import { followerPass, gate, leaderPass, pairGate } from './gate.ts';
import { HIT_NONE } from './hits.ts';
import type { WorldOrder } from './orders.ts';
import { newProcess, spread } from './process.ts';
import { elapsed, pause, STAGE_READY, STAGE_RUN, stage } from './run-state.ts';

/** Task areas of the two. */
export const PROCESS_TASK = 1;
export const SCANNER_TASK = 2;

/** Trials between two looks at the clock. */
const LOOK_EVERY = 64;
/** In aimed mode, one trial of so many notes the sites that are passed (the first few all do). */
const WATCH_EVERY = 4096;
const WATCH_FIRST = 64;
/** More pages than any mm has: the scan goes once around the list. */
const WHOLE_SCAN = 2 ** 30;

/** What ksmd does in a full scan. */
function scanOnce(): void {
  mutex_lock(ksm_thread_mutex);
  ksm_do_scan(WHOLE_SCAN);
  mutex_unlock(ksm_thread_mutex);
}

/** The exiting process, which leads. */
export function runProcess(order: WorldOrder, counters: Ptr<'lab_task_counters'>): void {
  const random = seededRandom(order.seed ^ Math.imul(order.world + 1, 0x85ebca6b));
  const aimed = order.delay === 'aimed' ? new AimedDelays(random) : undefined;
  const scanner = countersOf(SCANNER_TASK);
  const areas = spread(order.vmas, order.pages, order.pageBytes);
  while (stage() === STAGE_READY) pause(counters, 1000, STAGE_READY);
  for (let trial = 0; ; trial++) {
    const late = stage() !== STAGE_RUN || (trial % LOOK_EVERY === 0 && elapsed() >= order.seconds);
    if (late || trial >= order.trials || (order.untilReport && reportsCounted() > 0)) break;
    const mm = newProcess(areas, trial);
    if (order.scanned === 'yes' || (order.scanned === 'mix' && random() < 0.5)) scanOnce();
    set(scanner, taskCounters.hit, HIT_NONE);
    const watch = aimed !== undefined && (trial < WATCH_FIRST || trial % WATCH_EVERY === 0);
    if (aimed !== undefined) {
      const { leader, follower } = aimed.next();
      storeWord(gate, pairGate.followerSite, follower.site);
      storeWord(gate, pairGate.followerUntil, follower.until);
      storeWord(gate, pairGate.followerWatches, watch ? 1 : 0);
      aimRound(leader.site, SCANNER_TASK, leader.until, watch);
      openAimedRound();
    }
    resetRing();
    leaderPass();
    mmput(mm);
    if (aimed !== undefined) closeAimedRound();
    leaderPass();
    count(counters, taskCounters.trials);
    if (order.checks.pages) checkPages(`trial ${trial + 1} of pair ${order.world}`);
    if (aimed !== undefined) {
      aimed.learn(get(scanner, taskCounters.hit) !== HIT_NONE);
      if (watch) {
        aimed.learnSites(sitesSeen(PROCESS_TASK), pointsPassed(PROCESS_TASK), sitesSeen(SCANNER_TASK), pointsPassed(SCANNER_TASK));
      }
    }
  }
  storeWord(gate, pairGate.over, 1);
  leaderPass();
}

/** The scanner, which follows. */
export function runScanner(order: WorldOrder): void {
  const aimed = order.delay === 'aimed';
  run_store('1');
  for (;;) {
    resetRing();
    if (aimed) openAimedRound();
    followerPass();
    if (loadWord(gate, pairGate.over) !== 0) return;
    if (aimed) {
      const watch = loadWord(gate, pairGate.followerWatches) !== 0;
      aimRound(loadWord(gate, pairGate.followerSite), PROCESS_TASK, loadWord(gate, pairGate.followerUntil), watch);
    }
    run_store('2');
    if (aimed) closeAimedRound();
    followerPass();
    run_store('1');
  }
}
