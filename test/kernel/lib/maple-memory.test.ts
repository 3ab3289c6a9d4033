/** Allocation failure at every allocation of a write: -ENOMEM, the tree as it was, nothing leaked. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MT_FLAGS_ALLOC_RANGE, MT_FLAGS_USE_RCU, maple_tree } from '../../../src/kernel/include/maple_tree.ts';
import { ULONG_MAX } from '../../../src/kernel/include/mm_types.ts';
import { mas_destroy, mas_expected_entries } from '../../../src/kernel/lib/maple-tree/bulk.ts';
import { mtree_destroy } from '../../../src/kernel/lib/maple-tree/destroy.ts';
import { mt_init_flags } from '../../../src/kernel/lib/maple-tree/init.ts';
import { mas_find } from '../../../src/kernel/lib/maple-tree/iterate.ts';
import { maple_node_cache } from '../../../src/kernel/lib/maple-tree/node.ts';
import { mtree_erase, mtree_lock, mtree_store_range, mtree_unlock } from '../../../src/kernel/lib/maple-tree/normal-api.ts';
import { MA_STATE, mas_set_range } from '../../../src/kernel/lib/maple-tree/state.ts';
import { mt_nr_nodes, mt_validate } from '../../../src/kernel/lib/maple-tree/validate.ts';
import { mas_store_gfp } from '../../../src/kernel/lib/maple-tree/write.ts';
import { rcu_barrier } from '../../../src/kernel/rcu.ts';
import { staticStorage } from '../../../src/machine/memory.ts';
import { failAllocations, liveObjects } from '../../../src/machine/slab.ts';

const mt = staticStorage('test_tree', maple_tree.SIZE).address as Parameters<typeof mt_init_flags>[0];

function content(): number[] {
  const found: number[] = [];
  const mas = MA_STATE(mt, 0, 0);
  mtree_lock(mt);
  for (let entry = mas_find(mas, ULONG_MAX); entry !== 0; entry = mas_find(mas, ULONG_MAX)) found.push(mas.index, mas.last, entry);
  mtree_unlock(mt);
  return found;
}

/** A tree of three levels. */
function build(flags: number): void {
  mt_init_flags(mt, flags);
  for (let i = 0; i < 400; i++) mtree_store_range(mt, i * 10, i * 10 + (i % 3 === 0 ? 9 : 5), i * 4 + 4);
}

/** A write that needs memory: its name, and what it does. */
const writes: [string, () => number][] = [
  ['a range in the middle of another', () => mtree_store_range(mt, 2003, 2004, 8)],
  ['wide over many leaves', () => mtree_store_range(mt, 555, 3333, 8)],
  ['NULL over many leaves', () => mtree_store_range(mt, 555, 3333, 0)],
  ['everything', () => mtree_store_range(mt, 0, ULONG_MAX, 8)],
  ['the start', () => mtree_store_range(mt, 0, 1700, 8)],
  ['the end', () => mtree_store_range(mt, 1700, ULONG_MAX, 8)],
];

/** Fails allocation 0, 1, 2, ... of a write until it succeeds. @returns how many failed */
function failEach(write: () => number): number {
  const before = content();
  rcu_barrier();
  const nodes = liveObjects(maple_node_cache);
  for (let allowed = 0; ; allowed++) {
    failAllocations(maple_node_cache, allowed);
    const error = write();
    failAllocations(undefined);
    expect(mt_validate(mt)).toEqual([]);
    if (error === 0) return allowed;
    expect(error).toBe(-12);
    expect(content()).toEqual(before);
    rcu_barrier();
    expect(liveObjects(maple_node_cache)).toBe(nodes);
  }
}

describe.each([
  ['plain', 0],
  ['with gaps', MT_FLAGS_ALLOC_RANGE],
  ['with gaps, RCU', MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU],
])('out of memory, %s', (_name, flags) => {
  beforeEach(() => {
    build(flags);
    return () => {
      failAllocations(undefined);
      mtree_destroy(mt);
      rcu_barrier();
      expect(liveObjects(maple_node_cache)).toBe(0);
    };
  });

  it.each(writes)('a store: %s', (_what, write) => {
    failEach(write);
    rcu_barrier();
    expect(liveObjects(maple_node_cache)).toBe(mt_nr_nodes(mt));
  });

  it('stores and erases one after the other, each failing wherever it can', () => {
    let failed = 0;
    for (let i = 0; i < 120; i++) failed += failEach(() => mtree_store_range(mt, i * 31 + 7, i * 31 + 7 + (i % 5), (i + 1) * 4));
    for (let at = 0; at < 4000; at += 40) failed += failEach(() => Math.min(0, mtree_erase(mt, at)));
    expect(failed).toBeGreaterThan(20);
  });
});

describe('bulk fill', () => {
  it('allocates before, then needs no more, and gives back what is left', () => {
    mt_init_flags(mt, MT_FLAGS_ALLOC_RANGE);
    const mas = MA_STATE(mt, 0, 0);
    expect(mas_expected_entries(mas, 1000)).toBe(0);
    failAllocations(maple_node_cache, 0);
    mtree_lock(mt);
    for (let i = 0; i < 1000; i++) {
      mas_set_range(mas, i * 10, i * 10 + 5);
      expect(mas_store_gfp(mas, i * 4 + 4)).toBe(0);
    }
    mtree_unlock(mt);
    failAllocations(undefined);
    mas_destroy(mas);
    expect(mt_validate(mt)).toEqual([]);
    expect(content()).toHaveLength(3000);
    expect(liveObjects(maple_node_cache)).toBe(mt_nr_nodes(mt));
    mtree_destroy(mt);
    expect(liveObjects(maple_node_cache)).toBe(0);
  });

  it('keeps nothing when it cannot have all', () => {
    mt_init_flags(mt, MT_FLAGS_ALLOC_RANGE);
    const mas = MA_STATE(mt, 0, 0);
    failAllocations(maple_node_cache, 30);
    expect(mas_expected_entries(mas, 1000)).toBe(-12);
    failAllocations(undefined);
    expect(liveObjects(maple_node_cache)).toBe(0);
  });
});
