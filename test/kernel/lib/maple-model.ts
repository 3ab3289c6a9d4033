/**
 * The whole API against a sorted array, with fast-check: cursors, limits, gaps, allocation; the tree is validated after each step.
 *
 * KSMRACE_MAPLE_STEPS=5000000 npx vitest run test/kernel/lib/maple-model   runs millions of steps instead of 100,000.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MT_FLAGS_ALLOC_RANGE, MT_FLAGS_USE_RCU, maple_tree } from '../../../src/kernel/include/maple_tree.ts';
import { ULONG_MAX } from '../../../src/kernel/include/mm_types.ts';
import { mtree_destroy } from '../../../src/kernel/lib/maple-tree/destroy.ts';
import { mas_empty_area, mas_empty_area_rev } from '../../../src/kernel/lib/maple-tree/gaps.ts';
import { mt_init_flags } from '../../../src/kernel/lib/maple-tree/init.ts';
import { mas_find, mas_find_rev, mas_next, mas_prev } from '../../../src/kernel/lib/maple-tree/iterate.ts';
import { maple_node_cache } from '../../../src/kernel/lib/maple-tree/node.ts';
import {
  mt_find,
  mt_next,
  mt_prev,
  mtree_alloc_range,
  mtree_alloc_rrange,
  mtree_erase,
  mtree_insert_range,
  mtree_load,
  mtree_lock,
  mtree_store_range,
  mtree_unlock,
} from '../../../src/kernel/lib/maple-tree/normal-api.ts';
import { MA_STATE, type ma_state, mas_pause, mas_set } from '../../../src/kernel/lib/maple-tree/state.ts';
import { mt_validate } from '../../../src/kernel/lib/maple-tree/validate.ts';
import { mas_walk } from '../../../src/kernel/lib/maple-tree/walk.ts';
import { mas_erase, mas_store_gfp } from '../../../src/kernel/lib/maple-tree/write.ts';
import { readReports } from '../../../src/kernel/printk.ts';
import { rcu_barrier } from '../../../src/kernel/rcu.ts';
import { type Range, RangeModel } from '../../../src/lab/selftest-maple/range-model.ts';
import { staticStorage } from '../../../src/machine/memory.ts';
import { liveObjects } from '../../../src/machine/slab.ts';

const mt = staticStorage('test_tree', maple_tree.SIZE).address as Parameters<typeof mt_init_flags>[0];
const STEPS = Number(process.env.KSMRACE_MAPLE_STEPS ?? 100_000);
const RUN_LENGTH = 500;

/** Kind of operation, index, width, entry or size. */
type Step = [kind: number, at: number, width: number, value: number];

/** What a cursor or a lookup should say of a range. */
function told(entry: number, mas: ma_state): Range | undefined {
  return entry === 0 ? undefined : { first: mas.index, last: mas.last, entry };
}

/** The cursor and where the model thinks it is. */
class Cursor {
  readonly mas = MA_STATE(mt, 0, 0);
  /** The range that it is on; undefined when it is of no use before it is set again. */
  on: Range | undefined;
}

function cursorStep(model: RangeModel, cursor: Cursor, [kind, at, width, value]: Step): void {
  const { mas } = cursor;
  const limit = width > 50 ? ULONG_MAX : at + width;
  const low = Math.max(0, at - width);
  if (cursor.on === undefined) mas_set(mas, at);
  const from = cursor.on;
  const start = from ?? { first: at, last: at };
  let wanted: Range | undefined;
  let entry: number;
  switch (kind % 6) {
    case 0:
      wanted = from === undefined ? model.find(at, limit) : model.after(start.last, limit);
      entry = mas_find(mas, limit);
      break;
    case 1:
      wanted = model.after(start.last, limit);
      entry = mas_next(mas, limit);
      break;
    case 2:
      wanted = model.before(start.first, low);
      entry = mas_prev(mas, low);
      break;
    case 3: {
      const here = model.around(at);
      wanted = from === undefined && at >= low && here.entry !== 0 ? here : model.before(start.first, low);
      entry = mas_find_rev(mas, low);
      break;
    }
    case 4: {
      // A store within the range, as a walk that edits does.
      if (from === undefined) return;
      mas.index = from.first;
      mas.last = Math.min(from.last, from.first + (width % 3));
      expect(mas_store_gfp(mas, value)).toBe(0);
      model.store(from.first, Math.min(from.last, from.first + (width % 3)), value);
      cursor.on = { first: from.first, last: Math.min(from.last, from.first + (width % 3)), entry: value };
      return;
    }
    default:
      if (from === undefined) return;
      expect(mas_erase(mas)).toBe(from.entry);
      model.store(from.first, from.last, 0);
      cursor.on = from.entry === 0 ? from : { ...from, entry: 0 };
      return;
  }
  expect(told(entry, mas)).toEqual(wanted);
  cursor.on = wanted === undefined ? undefined : { ...wanted };
  if (value % 8 === 1 && wanted !== undefined) mas_pause(mas);
}

function gapStep(model: RangeModel, [kind, at, width, value]: Step): void {
  const last = width > 50 ? ULONG_MAX : at + width;
  const size = 1 + (value % 9);
  const highest = kind % 2 === 1;
  if (kind % 3 === 0) {
    const start = { value: -1 };
    const bad = last < size;
    const first = model.gap(at, highest ? last : last - size, size, highest);
    const r = (highest ? mtree_alloc_rrange : mtree_alloc_range)(mt, start, value, size, at, last);
    expect(r).toBe(bad ? -22 : first < 0 ? -16 : 0);
    if (r === 0) {
      expect(start.value).toBe(first);
      model.store(first, first + size - 1, value);
    }
    return;
  }
  const mas = MA_STATE(mt, 0, 0);
  mtree_lock(mt);
  const r = (highest ? mas_empty_area_rev : mas_empty_area)(mas, at, last, size);
  mtree_unlock(mt);
  const first = model.gap(at, last, size, highest);
  expect(r).toBe(at >= last ? -22 : first < 0 ? -16 : 0);
  if (r === 0) expect([mas.index, mas.last]).toEqual([first, first + size - 1]);
}

function plainStep(model: RangeModel, [kind, at, width, value]: Step): void {
  const last = width > 58 ? ULONG_MAX : at + (width > 50 ? width * 8 : width % 7);
  const around = { ...model.around(at) };
  switch (kind) {
    case 0: {
      const free = model.isFree(at, last);
      expect(mtree_insert_range(mt, at, last, value)).toBe(free ? 0 : -17);
      if (free) model.store(at, last, value);
      return;
    }
    case 1:
    case 2:
      expect(mtree_erase(mt, at)).toBe(around.entry);
      if (around.entry !== 0) model.store(around.first, around.last, 0);
      return;
    case 3: {
      const mas = MA_STATE(mt, at, at);
      mtree_lock(mt);
      const entry = mas_walk(mas);
      mtree_unlock(mt);
      expect({ first: mas.index, last: mas.last, entry }).toEqual(around);
      expect(mtree_load(mt, at)).toBe(around.entry);
      return;
    }
    case 4: {
      const index = { value: at };
      const wanted = model.find(at, last);
      expect(mt_find(mt, index, last)).toBe(wanted?.entry ?? 0);
      expect(index.value).toBe(wanted === undefined ? at : wanted.last === ULONG_MAX ? 0 : wanted.last + 1);
      expect(mt_next(mt, at, last)).toBe(model.after(at, last)?.entry ?? 0);
      expect(mt_prev(mt, at, 0)).toBe(model.before(at, 0)?.entry ?? 0);
      return;
    }
    default:
      expect(mtree_store_range(mt, at, last, value)).toBe(0);
      model.store(at, last, value);
  }
}

/** The whole content, up and down. */
function compareAll(model: RangeModel): void {
  const up: (Range | undefined)[] = [];
  const down: (Range | undefined)[] = [];
  const mas = MA_STATE(mt, 0, 0);
  mtree_lock(mt);
  for (let entry = mas_find(mas, ULONG_MAX); entry !== 0; entry = mas_find(mas, ULONG_MAX)) up.push(told(entry, mas));
  mas_set(mas, ULONG_MAX);
  for (let entry = mas_find_rev(mas, 0); entry !== 0; entry = mas_find_rev(mas, 0)) down.push(told(entry, mas));
  mtree_unlock(mt);
  expect(up).toEqual(model.entries());
  expect(down.reverse()).toEqual(model.entries());
}

function runSteps(flags: number, span: number, steps: Step[]): void {
  const model = new RangeModel();
  const cursor = new Cursor();
  mt_init_flags(mt, flags);
  try {
    for (const [kind, at, width, value] of steps) {
      const step: Step = [kind % 16, at % span, width, value];
      if (kind < 16) {
        cursor.on = undefined;
        if (kind >= 12 && (flags & MT_FLAGS_ALLOC_RANGE) !== 0) gapStep(model, step);
        else plainStep(model, step);
      } else {
        mtree_lock(mt);
        try {
          cursorStep(model, cursor, [kind, at % span, width, value]);
        } finally {
          mtree_unlock(mt);
        }
      }
      const faults = mt_validate(mt);
      if (faults.length > 0) expect(faults).toEqual([]);
    }
    compareAll(model);
  } finally {
    mtree_destroy(mt);
    rcu_barrier();
  }
  expect(liveObjects(maple_node_cache)).toBe(0);
}

/** Entries: NULL now and then, some that look like nodes in their low bits; not the zero entry. */
const entries = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 7, arbitrary: fc.integer({ min: 1, max: 1000 }) });
const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 23 }), fc.nat(4000), fc.nat(60), entries), {
  minLength: RUN_LENGTH,
  maxLength: RUN_LENGTH,
  size: 'max',
});

const KINDS: [string, number][] = [
  ['plain', 0],
  ['with gaps', MT_FLAGS_ALLOC_RANGE],
  ['with gaps, RCU', MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU],
  ['plain, RCU', MT_FLAGS_USE_RCU],
];

/** Registers the tests, for the boot options that the calling file has set. */
export function testAgainstModel(name: string): void {
  describe(name, () => {
    it.each(KINDS)('%s', { timeout: 30_000 + STEPS }, (_name, flags) => {
      const numRuns = Math.ceil(STEPS / RUN_LENGTH / KINDS.length);
      fc.assert(
        fc.property(fc.constantFrom(30, 400, 4000), steps, (span, drawn) => runSteps(flags, span, drawn as Step[])),
        {
          numRuns,
          seed: 20231123 + (STEPS === 100_000 ? 0 : Date.now() & 0xffff),
          endOnFailure: false,
          interruptAfterTimeLimit: 25_000 + STEPS,
        },
      );
      expect(readReports()).toEqual([]);
    });
  });
}
