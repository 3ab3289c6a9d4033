/** The built-in workloads: what theory says of sharing, and what was recorded of Linux 6.1 where theory is silent. */
import type { Row } from './row.ts';

/** workload, step, shared, sharing, unshared, volatile, chains, dups, then merging/items of each process. */
type Line = readonly [string, string, number, number, number, number, number, number, ...string[]];

const LINES: readonly Line[] = [
  ['1 process x 64 equal pages', 'settled', 1, 63, 0, 0, 0, 0, '64/64'],
  ['1 process x 64 equal pages', 'after MADV_UNMERGEABLE of half, settled', 1, 31, 0, 0, 0, 0, '32/32'],
  ['1 process x 64 equal pages', 'after MADV_MERGEABLE again, settled', 1, 63, 0, 0, 0, 0, '64/64'],
  ['1 process x 64 equal pages', 'after a 1-byte equal write to every second page, settled', 2, 62, 0, 0, 0, 0, '64/64'],
  ['1 process x 64 equal pages', 'after writing different content to every page, settled', 0, 0, 64, 0, 0, 0, '0/64'],
  ['1 process x 64 equal pages', 'after run=2, processes alive', 0, 0, 0, 0, 0, 0, '0/0'],
  ['4 processes x 64 equal pages', 'settled', 1, 255, 0, 0, 0, 0, '64/64', '64/64', '64/64', '64/64'],
  ['4 processes x 64 equal pages', 'after exit of 2 of 4, settled', 1, 127, 0, 0, 0, 0],
  ['1 process x 64 different pages', 'settled', 0, 0, 64, 0, 0, 0, '0/64'],
  ['1 process x 32 equal + 32 different', 'settled', 1, 31, 32, 0, 0, 0, '32/64'],
  ['1 process x 64 zero pages, use_zero_pages=0', 'settled', 1, 63, 0, 0, 0, 0, '64/64'],
  ['1 process x 64 zero pages, use_zero_pages=1', 'settled', 0, 0, 0, 0, 0, 0, '0/0'],
  ['1 process x 64 changing pages', 'after observation (values move)', 0, 0, 0, 64, 0, 0, '0/64'],
  ['1 process x 257 equal pages', 'settled', 1, 255, 1, 0, 0, 0, '256/257'],
  ['1 process x 600 equal pages', 'settled', 3, 597, 0, 0, 1, 3, '600/600'],
  ['1 process x 600 equal pages', 'after MADV_UNMERGEABLE of half, settled', 2, 298, 0, 0, 1, 2, '300/300'],
  ['1 process x 64 equal pages, forked after the merge (2 mms)', 'settled before the fork', 1, 63, 0, 0, 0, 0, '64/64'],
  ['1 process x 64 equal pages, forked after the merge (2 mms)', 'after the fork, settled', 1, 127, 0, 0, 0, 0, '64/64', '64/64'],
  ['1 process x 5 equal pages, max_page_sharing=4', 'settled', 1, 3, 1, 0, 0, 0, '4/5'],
];

export function quickSet(): Row[] {
  return LINES.map(
    ([workload, step, pages_shared, pages_sharing, pages_unshared, pages_volatile, stable_node_chains, stable_node_dups, ...procs]) => ({
      workload,
      step,
      counters: { pages_shared, pages_sharing, pages_unshared, pages_volatile, stable_node_chains, stable_node_dups },
      procs: procs.map((text, proc) => {
        const [merging, items] = text.split('/').map(Number) as [number, number];
        return { proc, merging, items };
      }),
    }),
  );
}
