/** What the vectors do not tell: lock checks, the end of a tree, cursors after the end, reserved entries, pictures, the VMA iterator. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MT_FLAGS_ALLOC_RANGE, MT_FLAGS_LOCK_EXTERN, MT_FLAGS_USE_RCU, maple_tree } from '../../../src/kernel/include/maple_tree.ts';
import { mm_struct, ULONG_MAX, vm_area_struct } from '../../../src/kernel/include/mm_types.ts';
import {
  __mt_destroy,
  MA_STATE,
  mas_find,
  mas_next,
  mas_pause,
  mas_prev,
  mas_set,
  mas_set_range,
  mas_store,
  mas_store_gfp,
  mas_walk,
  mt_dump,
  mt_find,
  mt_find_after,
  mt_init_flags,
  mt_next,
  mt_set_external_lock,
  mt_validate,
  mtree_destroy,
  mtree_empty,
  mtree_erase,
  mtree_insert,
  mtree_load,
  mtree_lock,
  mtree_store,
  mtree_store_range,
  mtree_unlock,
  XA_ZERO_ENTRY,
} from '../../../src/kernel/lib/maple-tree/index.ts';
import { maple_node } from '../../../src/kernel/lib/maple-tree/node.ts';
import { staticKey } from '../../../src/kernel/locking/lockdep/types.ts';
import { down_read, down_write, init_rwsem, rw_semaphore, up_read, up_write } from '../../../src/kernel/locking/rwsem.ts';
import { find_vma, find_vma_intersection, vma_find, vma_iter_init, vma_next, vma_prev } from '../../../src/kernel/mm/vma-iterator.ts';
import { readReports } from '../../../src/kernel/printk.ts';
import { rcu_barrier, rcu_read_lock, rcu_read_unlock } from '../../../src/kernel/rcu.ts';
import { EV_FREE, EV_ROOT_DEREF, EV_SET, EV_TREE_DESTROYED, EVENT_NAMES, OBJECT_NAMES } from '../../../src/kernel/trace/vocabulary.ts';
import { listen } from '../../../src/machine/announce.ts';
import { addressOf, get, set, setUlong } from '../../../src/machine/door.ts';
import { i32, staticStorage } from '../../../src/machine/memory.ts';
import { currentFunction, functionInfo } from '../../../src/machine/shadow-stack.ts';
import { slabAlloc, slabCache } from '../../../src/machine/slab.ts';

const mt = staticStorage('test_tree', maple_tree.SIZE).address as Parameters<typeof mt_init_flags>[0];
const mas = MA_STATE(mt, 0, 0);

beforeEach(() => mt_init_flags(mt, MT_FLAGS_ALLOC_RANGE));
afterEach(() => {
  mtree_destroy(mt);
  rcu_barrier();
});

/** Runs with the tree's lock. */
function locked<T>(body: () => T): T {
  mtree_lock(mt);
  try {
    return body();
  } finally {
    mtree_unlock(mt);
  }
}

describe('cursors after they found nothing', () => {
  beforeEach(() => {
    for (let i = 1; i <= 40; i++) mtree_store_range(mt, i * 10, i * 10 + 5, i * 4);
    mas_set(mas, 0);
  });

  it('stay where they were below a limit', () =>
    locked(() => {
      expect(mas_find(mas, 10)).toBe(4);
      expect(mas_find(mas, 19)).toBe(0);
      expect(mas_find(mas, 20)).toBe(8);
    }));

  it('go back to a limit below their range', () =>
    locked(() => {
      mas_set(mas, 200);
      expect(mas_find(mas, ULONG_MAX)).toBe(80);
      expect(mas_find(mas, 155)).toBe(0);
      expect(mas_find(mas, ULONG_MAX)).toBe(64);
    }));

  it('stand behind the last range when they ran off the top', () =>
    locked(() => {
      for (const limit of [ULONG_MAX, 500]) {
        mas_set(mas, 400);
        expect(mas_find(mas, limit)).toBe(160);
        expect(mas_next(mas, limit)).toBe(0);
        expect(mas_prev(mas, 0)).toBe(160);
      }
    }));

  it('stand before the first range when they ran off the bottom', () =>
    locked(() => {
      mas_set(mas, 10);
      expect(mas_walk(mas)).toBe(4);
      expect(mas_prev(mas, 0)).toBe(0);
      expect(mas_next(mas, ULONG_MAX)).toBe(4);
    }));

  it('go on behind their range after a pause, whatever happened meanwhile', () => {
    locked(() => expect(mas_find(mas, ULONG_MAX)).toBe(4));
    mas_pause(mas);
    mtree_store_range(mt, 12, 31, 400);
    locked(() => {
      expect(mas_find(mas, ULONG_MAX)).toBe(400);
      expect([mas.index, mas.last]).toEqual([12, 31]);
    });
  });
});

describe('cursors in RCU mode, while the tree is written', () => {
  beforeEach(() => {
    mt_init_flags(mt, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
    for (let i = 1; i <= 60; i++) mtree_store_range(mt, i * 10, i * 10 + 5, i * 4);
  });

  // Within a leaf, over the end of a leaf, over many leaves: wherever the cursor is.
  it.each(Array.from({ length: 58 }, (_, i) => i + 1))('see what was written beside range %i', (i) => {
    rcu_read_lock();
    mas_set(mas, i * 10);
    expect(mas_find(mas, ULONG_MAX)).toBe(i * 4);
    mtree_store_range(mt, i * 10 + 10, i * 10 + 12, 4000);
    expect(mas_next(mas, ULONG_MAX)).toBe(4000);
    mtree_store_range(mt, i * 10 + 7, i * 10 + 8, 4004);
    expect(mas_prev(mas, 0)).toBe(4004);
    mtree_store_range(mt, 0, i * 10 + 6, 4008);
    expect(mas_prev(mas, 0)).toBe(4008);
    mtree_store_range(mt, i * 10 + 7, ULONG_MAX, 4012);
    expect(mas_find(mas, ULONG_MAX)).toBe(4012);
    rcu_read_unlock();
    expect(mt_validate(mt)).toEqual([]);
  });
});

describe('entries', () => {
  it('the zero entry takes its range up, but lookups do not see it', () => {
    mtree_store_range(mt, 5, 9, XA_ZERO_ENTRY);
    mtree_store(mt, 20, 4);
    expect(mtree_load(mt, 7)).toBe(0);
    expect(mtree_insert(mt, 7, 4)).toBe(-17);
    const index = { value: 0 };
    expect(mt_find(mt, index, ULONG_MAX)).toBe(4);
    expect(mt_next(mt, 0, ULONG_MAX)).toBe(XA_ZERO_ENTRY);
    expect(mtree_erase(mt, 7)).toBe(XA_ZERO_ENTRY);
  });

  it('stand alone at index 0 in the root pointer, unless they look like a node', () => {
    mtree_store(mt, 0, 8);
    expect(get(mt, maple_tree.ma_root)).toBe(8);
    mtree_store(mt, 0, 0);
    expect(mtree_empty(mt)).toBe(true);
    mtree_store(mt, 0, 0x10002);
    expect(get(mt, maple_tree.ma_root)).not.toBe(0x10002);
    expect(mtree_load(mt, 0)).toBe(0x10002);
    expect(mt_validate(mt)).toEqual([]);
  });

  it('in the root pointer is found by cursors within their limits', () => {
    mtree_store(mt, 0, 8);
    locked(() => {
      mas_set(mas, 5);
      expect(mas_prev(mas, 1)).toBe(0);
      expect(mas_prev(mas, 0)).toBe(8);
      expect(mas_next(mas, ULONG_MAX)).toBe(0);
      expect([mas.index, mas.last]).toEqual([1, ULONG_MAX]);
    });
  });

  it('loops over all: mt_find, mt_find_after, to the very top', () => {
    mtree_store(mt, 3, 4);
    mtree_store_range(mt, 100, ULONG_MAX, 8);
    const index = { value: 0 };
    const found: number[] = [];
    for (let entry = mt_find(mt, index, ULONG_MAX); entry !== 0; entry = mt_find_after(mt, index, ULONG_MAX)) found.push(entry);
    expect(found).toEqual([4, 8]);
  });

  it('mas_store gives what was there; a range upside down is refused', () =>
    locked(() => {
      mas_set_range(mas, 4, 9);
      expect(mas_store(mas, 4)).toBe(0);
      mas_set_range(mas, 9, 12);
      expect(mas_store(mas, 8)).toBe(4);
      mas_set_range(mas, 5, 4);
      expect(mas_store_gfp(mas, 8)).toBe(-22);
    }));
});

describe('lock checks', () => {
  /** Sum of all reports so far. */
  const reports = () => readReports().reduce((sum, { count }) => sum + count, 0);
  const sem = staticStorage('test_sem', rw_semaphore.SIZE).address as Parameters<typeof init_rwsem>[0];

  it('accept the own lock and a read section, and report a bare dereference', () => {
    mtree_store(mt, 100, 4);
    const before = reports();
    mas_set(mas, 100);
    locked(() => mas_walk(mas));
    rcu_read_lock();
    mas_set(mas, 100);
    mas_walk(mas);
    rcu_read_unlock();
    expect(reports()).toBe(before);
    mas_set(mas, 100);
    mas_walk(mas);
    expect(reports()).toBeGreaterThan(before);
    expect(readReports().at(-1)?.lines.join('\n')).toContain('suspicious rcu_dereference_check() usage');
  });

  it('accept the external lock until the tree is destroyed', () => {
    init_rwsem(sem, 'test_sem', staticKey('test_sem'));
    mt_init_flags(mt, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_LOCK_EXTERN);
    mt_set_external_lock(mt, addressOf(sem, rw_semaphore.dep_map));
    const before = reports();
    down_write(sem);
    mas_set_range(mas, 100, 200);
    mas_store_gfp(mas, 4);
    up_write(sem);
    down_read(sem);
    mas_set(mas, 0);
    expect(mas_find(mas, ULONG_MAX)).toBe(4);
    up_read(sem);
    expect(reports()).toBe(before);
    down_write(sem);
    __mt_destroy(mt);
    up_write(sem);
    expect(get(mt, maple_tree.ma_flags)).toBe(0);
    down_read(sem);
    mas_set(mas, 0);
    expect(mas_find(mas, ULONG_MAX)).toBe(0);
    up_read(sem);
    expect(reports()).toBe(before + 1);
    mt_init_flags(mt, 0);
  });
});

it('the end of a tree is told step by step, in the functions that a kernel trace shows', () => {
  for (let i = 0; i < 30; i++) mtree_store_range(mt, i * 10, i * 10 + 5, i * 4 + 4);
  const told: string[] = [];
  const heard = (event: number, object: number, address: number, value: number) => {
    expect(address).toBe(mt);
    told.push(`${EVENT_NAMES[event]} ${OBJECT_NAMES[object]} ${value} ${functionInfo(currentFunction())?.name}`);
  };
  listen(heard, [EV_SET, EV_FREE, EV_TREE_DESTROYED, EV_ROOT_DEREF]);
  locked(() => {
    mas_set(mas, 0);
    mas_find(mas, ULONG_MAX);
    __mt_destroy(mt);
  });
  listen(() => {}, []);
  const flags = MT_FLAGS_ALLOC_RANGE | (2 << 2);
  expect(told).toEqual([
    `root_deref mm_mt ${flags} mas_walk`,
    'set mm_mt.ma_root 0 __mt_destroy',
    'free maple_nodes 0 mte_destroy_walk',
    `tree_destroyed mm_mt ${flags} __mt_destroy`,
  ]);
  mt_init_flags(mt, 0);
});

it('mt_dump draws the tree', () => {
  expect(mt_dump(mt)).toMatch(/flags 0x1, height 0\n0-top: NULL$/);
  mtree_store(mt, 0, 8);
  expect(mt_dump(mt)).toMatch(/\n0-0: 0x8 \(in the root pointer\)\n1-top: NULL$/);
  for (let i = 0; i < 12; i++) mtree_store_range(mt, i * 10, i * 10 + 5, i * 4 + 4);
  const lines = mt_dump(mt).split('\n');
  expect(lines[0]).toMatch(/flags 0x9, height 2$/);
  expect(lines[1]).toMatch(/^0-top: allocation node 0x[0-9a-f]+00, 2 slots, widest gap \d+ in slot 1$/);
  expect(lines).toContain('    10-15: 0x8');
  expect(lines.filter((line) => line.includes(': leaf '))).toHaveLength(2);
});

it('mt_validate sees what is wrong', () => {
  for (let i = 0; i < 40; i++) mtree_store_range(mt, i * 10, i * 10 + 5, i * 4 + 4);
  const root = get(mt, maple_tree.ma_root) & -256;
  const fields: [string, number][] = [
    ['parent', maple_node.parent],
    ['metadata', maple_node.meta],
    ['a pivot', maple_node.pivot],
    ['a gap', maple_node.gap],
    ['the first index', maple_node.min],
  ];
  for (const [what, offset] of fields) {
    const word = (root + offset) >> 2;
    i32[word] = (i32[word] as number) ^ 1;
    expect(mt_validate(mt), what).not.toEqual([]);
    i32[word] = (i32[word] as number) ^ 1;
  }
  expect(mt_validate(mt)).toEqual([]);
});

describe('the VMA iterator', () => {
  const mms = slabCache(mm_struct);
  const vmas = slabCache(vm_area_struct);
  const mm = slabAlloc(mms);
  const tree = addressOf(mm, mm_struct.mm_mt);
  const areas: Parameters<typeof getStart>[0][] = [];
  function getStart(vma: ReturnType<typeof find_vma>): number {
    return areas.indexOf(vma);
  }

  beforeEach(() => {
    mt_init_flags(tree, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
    areas.length = 0;
    for (let i = 0; i < 5; i++) {
      const vma = slabAlloc(vmas);
      setUlong(vma, vm_area_struct.vm_start, 0x10000 * (i + 1));
      setUlong(vma, vm_area_struct.vm_end, 0x10000 * (i + 1) + 0x4000);
      set(vma, vm_area_struct.vm_mm, mm);
      mtree_store_range(tree, 0x10000 * (i + 1), 0x10000 * (i + 1) + 0x3fff, vma);
      areas.push(vma);
    }
    return () => mtree_destroy(tree);
  });

  it('goes over all areas, and back', () => {
    rcu_read_lock();
    const vmi = vma_iter_init(mm, 0);
    const seen: number[] = [];
    for (let vma = vma_next(vmi); vma !== 0; vma = vma_next(vmi)) seen.push(getStart(vma));
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect(getStart(vma_prev(vmi))).toBe(4);
    expect(getStart(vma_prev(vmi))).toBe(3);
    expect(getStart(vma_find(vma_iter_init(mm, 0x20000), 0x20000))).toBe(1);
    expect(vma_find(vma_iter_init(mm, 0x24000), 0x2ffff)).toBe(0);
    rcu_read_unlock();
  });

  it('find_vma: the area at an address or the next; find_vma_intersection: only inside', () => {
    expect(getStart(find_vma(mm, 0x20000))).toBe(1);
    expect(getStart(find_vma(mm, 0x24000))).toBe(2);
    expect(find_vma(mm, 0x54000)).toBe(0);
    expect(getStart(find_vma_intersection(mm, 0x23fff, 0x24000))).toBe(1);
    expect(find_vma_intersection(mm, 0x24000, 0x30000)).toBe(0);
    expect(getStart(find_vma_intersection(mm, 0x24000, 0x30001))).toBe(2);
  });
});
