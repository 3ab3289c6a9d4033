/**
 * Throughput of the organic shape: forking processes, ksmd, a toggler of `run`, as `stress --shape organic` has them. Runs
 * in the threads.
 *
 * ```
 * toggler          sets the variant, ready         run := 1, sleeps, run := 2, ... until `stop`
 * each forker      its parent process, ready       `lives` times: fork, map, madvise, touch, live, exit, rest
 * ksmd             scans a batch, sleeps, ...      all the time, also between the blocks (run is 0 there)
 * ```
 * A block is a number of lives, not a time: the sleeps then add up to the same for every variant.
 */

import { exit_mm } from '../../kernel/exit.ts';
import { mmput } from '../../kernel/fork.ts';
import { run_store } from '../../kernel/mm/ksm.ts';
import { ksm_scan_thread } from '../../kernel/mm/ksm-scan.ts';
import { ksm_sysfs_store } from '../../kernel/mm/ksm-sysfs.ts';
import { ksm_iter_wait, ksm_thread_wait } from '../../kernel/mm/ksm-types.ts';
import { type KsmVariant, set_ksm_variant } from '../../kernel/mm/ksm-variants.ts';
import { wake_up_interruptible } from '../../kernel/sched/wait-queue.ts';
import { seededRandom } from '../stats/random.ts';
import { beginLife, newParent, spreadTime } from '../stress/organic.ts';
import { spread } from '../stress/process.ts';
import { add, load, nowNs, sleepWhileRunning, store, waitFor } from './control.ts';
import type { Answers, OrganicLoad } from './protocol.ts';

/** A batch, a sleep and a batch: then it looks whether it shall end. */
const BATCHES = 2;

/** ksmd, until {@link endOrganic}. */
export function runKsmd(sleepMs: number): Answers['organic-ksmd'] {
  ksm_sysfs_store('sleep_millisecs', String(sleepMs));
  while (load('ksmdEnd') === 0) ksm_scan_thread(BATCHES);
  store('ksmdEnd', 0);
  return {};
}

/** Ends the load after its last block: ksmd too, whichever of its two sleeps it is in. */
export function endOrganic(): Answers['organic-end'] {
  store('ready', 0);
  store('ksmdEnd', 1);
  wake_up_interruptible(ksm_iter_wait);
  wake_up_interruptible(ksm_thread_wait);
  return {};
}

/** The toggler's side of a block. @returns its passes, one at least, and the time they took */
export function toggle(variant: KsmVariant, pace: OrganicLoad, ready: number): Answers['organic-toggle'] {
  set_ksm_variant(variant);
  run_store('0');
  add('ready', 1);
  waitFor('ready', ready, 0);
  const begun = nowNs();
  let passes = 0;
  do {
    run_store('1');
    sleepWhileRunning(pace.mergeMs);
    run_store('2');
    passes++;
  } while (load('stop') === 0);
  const seconds = (nowNs() - begun) / 1e9;
  run_store('0');
  store('stop', 0);
  return { passes, seconds };
}

/** A forker's side of a block. The one that is through last ends the block. */
export function forkLives(vmas: number, lives: number, pace: OrganicLoad, seed: number, ready: number): Answers['organic-fork'] {
  const random = seededRandom(seed);
  const areas = spread(vmas, vmas);
  const parent = newParent(seed);
  add('forkers', 1);
  add('ready', 1);
  waitFor('ready', ready, 0);
  const begunNs = nowNs();
  for (let life = 0; life < lives; life++) {
    beginLife(parent, areas, life);
    sleepWhileRunning(spreadTime(pace.lifeMs, random));
    exit_mm();
    sleepWhileRunning(spreadTime(pace.restMs, random));
  }
  const endedNs = nowNs();
  mmput(parent);
  if (add('forkers', -1) === 0) store('stop', 1);
  return { begunNs, endedNs };
}
