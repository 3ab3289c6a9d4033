import { afterEach, beforeEach, expect, test } from 'vitest';
import { dup_mm, mm_alloc, mmput } from '../../../src/kernel/fork.ts';
import { list_empty } from '../../../src/kernel/include/list.ts';
import { MMF_VM_MERGEABLE, mm_struct, PAGE_SIZE, VM_READ, VM_SHARED, VM_WRITE } from '../../../src/kernel/include/mm_types.ts';
import { current, task_struct } from '../../../src/kernel/include/task_struct.ts';
import { mutex_lock, mutex_unlock } from '../../../src/kernel/locking/mutex.ts';
import { MADV_MERGEABLE, MADV_UNMERGEABLE, run_store } from '../../../src/kernel/mm/ksm.ts';
import { ksm_do_scan } from '../../../src/kernel/mm/ksm-scan.ts';
import { KSM, ksm, ksm_mm_head, ksm_mm_slot, ksm_thread_mutex } from '../../../src/kernel/mm/ksm-types.ts';
import { KSM_VARIANTS, set_ksm_variant } from '../../../src/kernel/mm/ksm-variants.ts';
import { do_madvise } from '../../../src/kernel/mm/madvise.ts';
import { do_user_addr_fault } from '../../../src/kernel/mm/memory.ts';
import { vm_mmap } from '../../../src/kernel/mm/mmap.ts';
import { readReports, reportsCounted } from '../../../src/kernel/printk.ts';
import * as T from '../../../src/kernel/trace/trace-ksm.ts';
import { EV_KSM_EXIT, EV_VISIT } from '../../../src/kernel/trace/vocabulary.ts';
import { listen } from '../../../src/machine/announce.ts';
import { addressOf, get, set } from '../../../src/machine/door.ts';
import type { Ptr } from '../../../src/machine/layout.ts';
import { slabInfo } from '../../../src/machine/slab.ts';

const BASE = 16 * PAGE_SIZE;
let before: Record<string, number>;
let heard: [event: number, value: number][] = [];

function mergeable(pages = 2): Ptr<'mm_struct'> {
  const mm = mm_alloc();
  vm_mmap(mm, BASE, pages * PAGE_SIZE, VM_READ | VM_WRITE);
  for (let i = 0; i < pages; i++) do_user_addr_fault(mm, BASE + i * PAGE_SIZE, i + 1);
  expect(do_madvise(mm, BASE, pages * PAGE_SIZE, MADV_MERGEABLE)).toBe(0);
  return mm;
}

function scan(pages: number): void {
  mutex_lock(ksm_thread_mutex);
  ksm_do_scan(pages);
  mutex_unlock(ksm_thread_mutex);
}

const listed = () => !list_empty(addressOf(ksm_mm_head, ksm_mm_slot.mm_list));
const outcomes = () => heard.filter(([event]) => event === EV_KSM_EXIT).map(([, value]) => value);
const visits = () => heard.filter(([event]) => event === EV_VISIT).map(([, value]) => value);

beforeEach(() => {
  before = slabInfo();
  heard = [];
  listen((event, _object, _address, value) => heard.push([event, value]), [EV_KSM_EXIT, EV_VISIT]);
  set_ksm_variant('unfixed');
});
afterEach(() => {
  run_store('0');
  run_store('2');
  run_store('0');
  expect(slabInfo()).toEqual(before);
});

test('a never scanned mm is easy to free', () => {
  const mm = mergeable();
  expect(listed()).toBe(true);
  expect(get(mm, mm_struct.mm_count)).toBe(2);
  mmput(mm);
  expect(outcomes()).toEqual([T.EXIT_EASY]);
  expect(listed()).toBe(false);
});

test('a scanned mm leaves its slot behind; the next pass finds the destroyed tree and frees it', () => {
  const mm = mergeable();
  scan(100);
  expect(get(mm, mm_struct.ksm_rmap_items)).toBe(2);
  mmput(mm);
  expect(outcomes()).toEqual([T.EXIT_MOVED]);
  expect(listed()).toBe(true);
  const reports = reportsCounted();
  run_store('2');
  expect(reportsCounted()).toBe(reports + 1);
  expect(visits()).toEqual([T.VISIT_DESTROYED | T.VISIT_DESTROYED_BEFORE | (T.EXIT_MOVED << T.VISIT_OUTCOME_SHIFT)]);
  expect(listed()).toBe(false);
  expect(readReports()[0]?.title).toBe('suspicious RCU usage');
});

test('exit under the cursor: the slot is neither freed nor moved', () => {
  const mm = mergeable();
  scan(1);
  mmput(mm);
  expect(outcomes()).toEqual([T.EXIT_CURSOR_ITEMS]);
});

test('ksmd reaps a slot left behind without a report', () => {
  const mm = mergeable();
  scan(100);
  const reports = reportsCounted();
  mmput(mm);
  scan(100);
  expect(listed()).toBe(false);
  expect(reportsCounted()).toBe(reports);
});

for (const variant of KSM_VARIANTS.filter((name) => name !== 'user')) {
  test(`${variant}: the destroyed tree is met, and ${variant === 'unfixed' ? 'reported' : 'nobody complains'}`, () => {
    set_ksm_variant(variant);
    const mm = mergeable();
    scan(100);
    mmput(mm);
    const reports = reportsCounted();
    run_store('2');
    expect(visits().length).toBe(1);
    expect((visits()[0] as number) & T.VISIT_DESTROYED).toBe(T.VISIT_DESTROYED);
    expect(reportsCounted() - reports).toBe(variant === 'unfixed' ? 1 : 0);
  });
}

test('a pass over a living mm frees its rmap_items and leaves slot and flag', () => {
  const mm = mergeable(3);
  scan(100);
  run_store('2');
  expect(get(mm, mm_struct.ksm_rmap_items)).toBe(0);
  expect(listed()).toBe(true);
  expect(get(mm, mm_struct.flags) & (1 << MMF_VM_MERGEABLE)).not.toBe(0);
  expect(visits()).toEqual([0]);
  mmput(mm);
});

test('writing the value that run has already makes no pass', () => {
  const mm = mergeable();
  run_store('2');
  run_store('2');
  expect(visits().length).toBe(1);
  mmput(mm);
});

test('run takes 0, 1 and 2 only', () => {
  for (const bad of ['3', '-1', '', 'x', '1 2', '0x1']) expect(run_store(bad), bad).toBe(-22);
  expect(run_store('1\n')).toBe(0);
  expect(run_store('0')).toBe(0);
});

test('a pending signal ends the pass, run becomes 0, the cursor goes back to the head', () => {
  const mm = mergeable();
  set(current(), task_struct.signal_pending, 1);
  expect(run_store('2')).toBe(-512);
  set(current(), task_struct.signal_pending, 0);
  expect(get(ksm, KSM.run)).toBe(0);
  expect(get(ksm, KSM.scan_mm_slot)).toBe(ksm_mm_head);
  mmput(mm);
});

test('a child of a mergeable mm enters too', () => {
  const mm = mergeable();
  const child = dup_mm(mm);
  expect(get(child, mm_struct.mm_count)).toBe(2);
  mmput(child);
  mmput(mm);
  expect(outcomes()).toEqual([T.EXIT_EASY, T.EXIT_EASY]);
});

test('shared areas are not taken, and UNMERGEABLE keeps the slot', () => {
  const mm = mm_alloc();
  vm_mmap(mm, BASE, PAGE_SIZE, VM_READ | VM_WRITE | VM_SHARED);
  do_madvise(mm, BASE, PAGE_SIZE, MADV_MERGEABLE);
  expect(listed()).toBe(false);
  mmput(mm);
  const other = mergeable();
  expect(do_madvise(other, BASE, 2 * PAGE_SIZE, MADV_UNMERGEABLE)).toBe(0);
  expect(listed()).toBe(true);
  mmput(other);
});

test('madvise with a hole advises the rest and says -ENOMEM', () => {
  const mm = mm_alloc();
  vm_mmap(mm, BASE, PAGE_SIZE, VM_READ | VM_WRITE);
  vm_mmap(mm, BASE + 2 * PAGE_SIZE, PAGE_SIZE, VM_READ | VM_WRITE);
  expect(do_madvise(mm, BASE, 3 * PAGE_SIZE, MADV_MERGEABLE)).toBe(-12);
  do_user_addr_fault(mm, BASE, 1);
  do_user_addr_fault(mm, BASE + 2 * PAGE_SIZE, 2);
  scan(100);
  expect(get(mm, mm_struct.ksm_rmap_items)).toBe(2);
  mmput(mm);
});
