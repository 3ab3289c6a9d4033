/** KSM's counters: each step of one announces itself. All under ksm_thread_mutex. @notrace */
import { get, set } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { mm_struct } from '../include/mm_types.ts';
import { trace_merging_pages, trace_pages_shared, trace_pages_sharing, trace_pages_unshared } from '../trace/trace-merge.ts';
import { KSM, ksm } from './ksm-types.ts';

/** An item came onto a stable node (`by` 1) or left it (-1). @param first  it is, or was, the only one there */
export function count_shared(first: boolean, by: 1 | -1): void {
  if (first) {
    const value = get(ksm, KSM.ksm_pages_shared) + by;
    set(ksm, KSM.ksm_pages_shared, value);
    trace_pages_shared(by > 0, value);
  } else {
    const value = get(ksm, KSM.ksm_pages_sharing) + by;
    set(ksm, KSM.ksm_pages_sharing, value);
    trace_pages_sharing(by > 0, value);
  }
}

export function count_unshared(by: 1 | -1): void {
  const value = get(ksm, KSM.ksm_pages_unshared) + by;
  set(ksm, KSM.ksm_pages_unshared, value);
  trace_pages_unshared(by > 0, value);
}

export function count_merging(mm: Ptr<'mm_struct'>, by: 1 | -1): void {
  const value = get(mm, mm_struct.ksm_merging_pages) + by;
  set(mm, mm_struct.ksm_merging_pages, value);
  trace_merging_pages(by > 0, mm, value);
}

/** What the files of /sys/kernel/mm/ksm show. */
export interface KsmCounters {
  pages_shared: number;
  pages_sharing: number;
  pages_unshared: number;
  pages_volatile: number;
  stable_node_chains: number;
  stable_node_dups: number;
  full_scans: number;
  run: number;
}

/** All counters; a racy look while ksmd runs. */
export function ksmCounters(): KsmCounters {
  const pages_shared = get(ksm, KSM.ksm_pages_shared);
  const pages_sharing = get(ksm, KSM.ksm_pages_sharing);
  const pages_unshared = get(ksm, KSM.ksm_pages_unshared);
  return {
    pages_shared,
    pages_sharing,
    pages_unshared,
    // The counters are read one after the other, so between two steps of ksmd this can come out below 0.
    pages_volatile: Math.max(0, get(ksm, KSM.ksm_rmap_items) - pages_shared - pages_sharing - pages_unshared),
    stable_node_chains: get(ksm, KSM.ksm_stable_node_chains),
    stable_node_dups: get(ksm, KSM.ksm_stable_node_dups),
    full_scans: get(ksm, KSM.scan_seqnr),
    run: get(ksm, KSM.run),
  };
}
