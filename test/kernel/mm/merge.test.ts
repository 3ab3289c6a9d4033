import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { do_exit } from '../../../src/kernel/exit.ts';
import { dup_mm, mm_alloc, mmput } from '../../../src/kernel/fork.ts';
import { mm_struct, PAGE_SIZE, VM_READ, VM_WRITE } from '../../../src/kernel/include/mm_types.ts';
import { current, task_struct } from '../../../src/kernel/include/task_struct.ts';
import { mutex_lock, mutex_unlock } from '../../../src/kernel/locking/mutex.ts';
import { MADV_MERGEABLE, MADV_UNMERGEABLE, run_store } from '../../../src/kernel/mm/ksm.ts';
import { checkKsm } from '../../../src/kernel/mm/ksm-check.ts';
import { ksmCounters } from '../../../src/kernel/mm/ksm-counters.ts';
import { ksm_do_scan } from '../../../src/kernel/mm/ksm-scan.ts';
import { ksm_sysfs_show, ksm_sysfs_store } from '../../../src/kernel/mm/ksm-sysfs.ts';
import { KSM, ksm, ksm_thread_mutex } from '../../../src/kernel/mm/ksm-types.ts';
import { set_ksm_variant } from '../../../src/kernel/mm/ksm-variants.ts';
import { do_madvise } from '../../../src/kernel/mm/madvise.ts';
import { VM_FAULT_OOM } from '../../../src/kernel/mm/memory.ts';
import { vm_mmap } from '../../../src/kernel/mm/mmap.ts';
import { do_mprotect } from '../../../src/kernel/mm/mprotect.ts';
import { frames_in_use, set_frame_limit } from '../../../src/kernel/mm/page_alloc.ts';
import { userLoadNumber, userLoadPage, userStore, userStoreBytes } from '../../../src/kernel/mm/user-access.ts';
import { get, set } from '../../../src/machine/door.ts';
import { NULL, type Ptr } from '../../../src/machine/layout.ts';
import { slabInfo } from '../../../src/machine/slab.ts';

type Mm = Ptr<'mm_struct'>;
const BASE = 16 * PAGE_SIZE;
const at = (page: number) => BASE + page * PAGE_SIZE;
let before: Record<string, number>;

function process(contents: readonly number[]): Mm {
  const mm = mm_alloc();
  vm_mmap(mm, BASE, contents.length * PAGE_SIZE, VM_READ | VM_WRITE);
  for (const [i, content] of contents.entries()) expect(userStore(mm, at(i), content)).toBe(0);
  expect(do_madvise(mm, BASE, contents.length * PAGE_SIZE, MADV_MERGEABLE)).toBe(0);
  return mm;
}

function scan(times = 1): void {
  for (let i = 0; i < times; i++) {
    mutex_lock(ksm_thread_mutex);
    ksm_do_scan(10_000);
    mutex_unlock(ksm_thread_mutex);
    expect(checkKsm()).toEqual([]);
  }
}

const shares = () => {
  const { pages_shared, pages_sharing, pages_unshared, pages_volatile } = ksmCounters();
  return [pages_shared, pages_sharing, pages_unshared, pages_volatile];
};
const contents = (mm: Mm, pages: number) => Array.from({ length: pages }, (_, i) => userLoadNumber(mm, at(i)));
const equal = (n: number) => new Array<number>(n).fill(5);

beforeEach(() => {
  before = slabInfo();
  set_ksm_variant('fixed');
});
afterEach(() => {
  set_frame_limit(0);
  set(current(), task_struct.mm, NULL);
  set(current(), task_struct.oom_victim, 0);
  set(current(), task_struct.signal_pending, 0);
  run_store('0');
  run_store('2');
  run_store('0');
  expect(ksmCounters()).toMatchObject({ pages_shared: 0, pages_sharing: 0, pages_unshared: 0, pages_volatile: 0, full_scans: 0 });
  expect(checkKsm()).toEqual([]);
  expect(slabInfo()).toEqual(before);
});

test('the first scan takes checksums, the second merges, frames are given back', () => {
  const frames = frames_in_use();
  const mm = process(equal(10));
  scan();
  expect(shares()).toEqual([0, 0, 0, 10]);
  scan();
  expect(shares()).toEqual([1, 9, 0, 0]);
  expect(frames_in_use()).toBe(frames + 1);
  expect(contents(mm, 10)).toEqual(equal(10));
  mmput(mm);
});

test('a write to a merged page is seen by its writer only', () => {
  const a = process(equal(3));
  const b = process(equal(3));
  scan(2);
  userStore(a, at(1), 7);
  expect(contents(a, 3)).toEqual([5, 7, 5]);
  expect(contents(b, 3)).toEqual(equal(3));
  scan();
  expect(shares()).toEqual([1, 4, 0, 1]);
  mmput(a);
  mmput(b);
});

test('fork of merged pages: the child shares them, writes are its own', () => {
  const mm = process(equal(4));
  scan(2);
  const child = dup_mm(mm);
  expect(checkKsm()).toEqual([]);
  userStore(child, at(0), 9);
  expect(contents(mm, 4)).toEqual(equal(4));
  expect(contents(child, 4)).toEqual([9, 5, 5, 5]);
  scan(2);
  expect(shares()).toEqual([1, 6, 1, 0]);
  mmput(mm);
  expect(contents(child, 4)).toEqual([9, 5, 5, 5]);
  mmput(child);
});

test('bytes anywhere in the page count, and a page that changes is left alone', () => {
  const mm = process(equal(4));
  userStoreBytes(mm, at(2) + 4095, Uint8Array.of(1));
  userStoreBytes(mm, at(3) + 4095, Uint8Array.of(1));
  scan(2);
  expect(shares()).toEqual([2, 2, 0, 0]);
  for (let round = 0; round < 3; round++) {
    userStoreBytes(mm, at(0) + 100, Uint8Array.of(round + 1));
    scan();
  }
  expect(shares()).toEqual([2, 1, 0, 1]);
  expect((userLoadPage(mm, at(2)) as Uint8Array)[4095]).toBe(1);
  expect((userLoadPage(mm, at(1)) as Uint8Array)[100]).toBe(0);
  mmput(mm);
});

test('pages of a read-only area are merged and broken apart', () => {
  const mm = process(equal(4));
  do_mprotect(mm, BASE, 4 * PAGE_SIZE, VM_READ);
  scan(2);
  expect(shares()).toEqual([1, 3, 0, 0]);
  const frames = frames_in_use();
  run_store('2');
  expect(frames_in_use()).toBe(frames + 3);
  expect(userStore(mm, at(0), 1)).not.toBe(0);
  mmput(mm);
});

test('exit of a sharer leaves a stale node that the next scan removes with all its items', () => {
  const a = process(equal(2));
  scan(2);
  mmput(a);
  expect(shares()).toEqual([1, 1, 0, 0]);
  scan();
  expect(shares()).toEqual([0, 0, 0, 0]);
});

test('use_zero_pages: merged pages leave no item and no frame', () => {
  expect(ksm_sysfs_store('use_zero_pages', '1')).toBe(0);
  const frames = frames_in_use();
  const mm = process(new Array<number>(8).fill(0));
  scan(3);
  expect(shares()).toEqual([0, 0, 0, 0]);
  expect(frames_in_use()).toBe(frames);
  userStore(mm, at(3), 4);
  expect(contents(mm, 8)).toEqual([0, 0, 0, 4, 0, 0, 0, 0]);
  ksm_sysfs_store('use_zero_pages', '0');
  mmput(mm);
});

test('a full page makes a chain, UNMERGEABLE empties its dups, pruning dissolves it', () => {
  ksm_sysfs_store('max_page_sharing', '3');
  ksm_sysfs_store('stable_node_chains_prune_millisecs', '0');
  const mm = process(equal(9));
  scan(3);
  expect(shares()).toEqual([3, 6, 0, 0]);
  expect(ksmCounters()).toMatchObject({ stable_node_chains: 1, stable_node_dups: 3 });
  expect(ksm_sysfs_store('max_page_sharing', '4')).toBe(-16);
  do_madvise(mm, BASE, 6 * PAGE_SIZE, MADV_UNMERGEABLE);
  userStore(mm, at(8), 6);
  scan(2);
  const other = process([5]);
  scan(2);
  expect(ksmCounters()).toMatchObject({ stable_node_chains: 0, stable_node_dups: 0 });
  expect(shares()).toEqual([1, 2, 1, 0]);
  run_store('2');
  run_store('0');
  ksm_sysfs_store('max_page_sharing', '256');
  ksm_sysfs_store('stable_node_chains_prune_millisecs', '2000');
  mmput(mm);
  mmput(other);
});

test('control files: what they take, and what they answer', () => {
  for (const [file, text, error] of [
    ['pages_to_scan', '12x', -22],
    ['pages_to_scan', ' 12', -22],
    ['pages_to_scan', '4294967296', -22],
    ['sleep_millisecs', '-1', -22],
    ['max_page_sharing', '1', -22],
    ['max_page_sharing', '2147483648', -34],
    ['merge_across_nodes', '2', -22],
    ['use_zero_pages', 'maybe', -22],
    ['run', '3', -22],
    ['pages_shared', '1', -13],
    ['no_such_file', '1', -2],
  ] as const) {
    expect(ksm_sysfs_store(file, text), `${file} ${text}`).toBe(error);
  }
  expect(ksm_sysfs_store('pages_to_scan', '+200\n')).toBe(0);
  expect(ksm_sysfs_show('pages_to_scan')).toBe('200\n');
  expect(ksm_sysfs_show('full_scans')).toBe('0\n');
  expect(ksm_sysfs_show('nothing')).toBeUndefined();
  ksm_sysfs_store('pages_to_scan', '100');
});

test('whatever happens to the pages, everybody reads what he wrote', () => {
  const step = fc.record({
    op: fc.constantFrom('write', 'far', 'scan', 'unmerge', 'fork', 'exit', 'advice'),
    who: fc.nat(5),
    page: fc.nat(3),
    value: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const living: { mm: Mm; wrote: number[]; far: number[] }[] = [{ mm: process([1, 1, 2, 0]), wrote: [1, 1, 2, 0], far: [0, 0, 0, 0] }];
      for (const { op, who, page, value } of steps) {
        const p = living[who % Math.max(1, living.length)];
        if (p === undefined) break;
        if (op === 'write') {
          userStore(p.mm, at(page), value);
          p.wrote[page] = value;
        } else if (op === 'far') {
          userStoreBytes(p.mm, at(page) + 3000, Uint8Array.of(value));
          p.far[page] = value;
        } else if (op === 'scan') scan();
        else if (op === 'unmerge') {
          run_store('2');
          run_store('0');
        } else if (op === 'fork' && living.length < 5) living.push({ mm: dup_mm(p.mm), wrote: [...p.wrote], far: [...p.far] });
        else if (op === 'exit') mmput((living.splice(living.indexOf(p), 1)[0] as { mm: Mm }).mm);
        else if (op === 'advice') do_madvise(p.mm, at(page), PAGE_SIZE, value === 0 ? MADV_UNMERGEABLE : MADV_MERGEABLE);
        for (const { mm, wrote, far } of living) {
          expect(contents(mm, 4)).toEqual(wrote);
          expect([0, 1, 2, 3].map((i) => (userLoadPage(mm, at(i)) as Uint8Array)[3000])).toEqual(far);
        }
        expect(checkKsm()).toEqual([]);
      }
      for (const { mm } of living) mmput(mm);
      run_store('2');
      run_store('0');
      expect(slabInfo()).toEqual(before);
    }),
    { numRuns: 60 },
  );
});

test('each allocation in turn fails: no leak, no wrong content, the error that Linux gives', () => {
  const wrote = [1, 1, 2, 2, 3];
  let failed = 0;
  for (let nth = 1; nth < 200; nth++) {
    const mm = process(wrote);
    set(current(), task_struct.fail_nth, nth);
    for (let i = 0; i < 3; i++) {
      mutex_lock(ksm_thread_mutex);
      ksm_do_scan(10_000);
      mutex_unlock(ksm_thread_mutex);
      expect(checkKsm()).toEqual([]);
    }
    const stored = userStore(mm, at(0), 8);
    const error = run_store('2');
    const left = get(current(), task_struct.fail_nth);
    set(current(), task_struct.fail_nth, 0);
    expect([0, VM_FAULT_OOM]).toContain(stored);
    expect([0, -12]).toContain(error);
    if (error !== 0) expect(get(ksm, KSM.run)).toBe(0);
    expect(contents(mm, 5)).toEqual([stored === 0 ? 8 : 1, 1, 2, 2, 3]);
    expect(checkKsm()).toEqual([]);
    run_store('0');
    run_store('2');
    run_store('0');
    mmput(mm);
    expect(slabInfo()).toEqual(before);
    if (left !== 0) break;
    failed = nth;
  }
  expect(failed).toBeGreaterThan(8);
});

test('frames run out in the pass: its writer is killed first, and gets -ENOMEM', () => {
  const mm = process(equal(6));
  scan(2);
  set(current(), task_struct.mm, mm);
  set_frame_limit(frames_in_use() + 2);
  expect(run_store('2')).toBe(-12);
  expect(get(ksm, KSM.run)).toBe(0);
  expect(get(current(), task_struct.oom_victim)).toBe(1);
  expect(contents(mm, 6)).toEqual(equal(6));
  expect(checkKsm()).toEqual([]);
  set(current(), task_struct.signal_pending, 0);
  do_exit();
  set(current(), task_struct.flags, 0);
  expect(get(current(), task_struct.oom_victim)).toBe(0);
});

test('an mm counts its frames', () => {
  const mm = process([1, 2, 3]);
  expect(get(mm, mm_struct.rss)).toBe(3);
  expect(userLoadNumber(mm, at(2))).toBe(3);
  const child = dup_mm(mm);
  expect(get(child, mm_struct.rss)).toBe(3);
  mmput(child);
  mmput(mm);
});
