/** Throughput: one thread scans and unmerges in turn, the other starts and ends processes. Runs in the threads. */
import { mmput } from '../../kernel/fork.ts';
import { run_store } from '../../kernel/mm/ksm.ts';
import { type KsmVariant, set_ksm_variant } from '../../kernel/mm/ksm-variants.ts';
import { load, nowNs, store, waitFor } from './control.ts';
import { makeProcess, scanPages } from './process.ts';
import type { Answers } from './protocol.ts';

/** What ksmd scans between two sleeps by default. */
const PAGES_TO_SCAN = 100;

/** Scans a batch of pages as ksmd does, then has everything unmerged, until told to stop. */
export function organicPasses(variant: KsmVariant): Answers['organic-passes'] {
  set_ksm_variant(variant);
  let passes = 0;
  store('running', 1);
  while (load('stop') === 0) {
    run_store('1');
    scanPages(PAGES_TO_SCAN);
    run_store('2');
    passes++;
  }
  run_store('0');
  store('stop', 0);
  store('running', 0);
  return { passes };
}

/** Starts and ends processes for a while. */
export function organicExits(vmas: number, milliseconds: number): Answers['organic-exits'] {
  waitFor('running', 1);
  let exits = 0;
  const start = nowNs();
  let now = start;
  for (; now - start < milliseconds * 1e6; now = nowNs()) {
    mmput(makeProcess(vmas, true));
    exits++;
  }
  store('stop', 1);
  // Only then is the next block free to change the variant.
  waitFor('running', 0);
  return { exits, seconds: (now - start) / 1e9 };
}
