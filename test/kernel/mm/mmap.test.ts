import { afterEach, beforeEach, expect, test } from 'vitest';
import { mm_alloc, mmput } from '../../../src/kernel/fork.ts';
import { mm_struct, PAGE_SIZE, VM_READ, VM_WRITE, vm_area_struct } from '../../../src/kernel/include/mm_types.ts';
import { do_user_addr_fault, VM_FAULT_SIGSEGV } from '../../../src/kernel/mm/memory.ts';
import { vm_mmap, vm_munmap } from '../../../src/kernel/mm/mmap.ts';
import { do_mprotect } from '../../../src/kernel/mm/mprotect.ts';
import { get, getUlong } from '../../../src/machine/door.ts';
import type { Ptr } from '../../../src/machine/layout.ts';
import { slabInfo } from '../../../src/machine/slab.ts';

const RW = VM_READ | VM_WRITE;
const P = PAGE_SIZE;
let mm: Ptr<'mm_struct'>;
let before: Record<string, number>;

/** The areas as [first page, pages, flags], by the list; the tree is checked to agree. */
function areas(): number[][] {
  const out: number[][] = [];
  for (let vma = get(mm, mm_struct.mmap); vma !== 0; vma = get(vma, vm_area_struct.vm_next)) {
    const start = getUlong(vma, vm_area_struct.vm_start);
    out.push([start / P, (getUlong(vma, vm_area_struct.vm_end) - start) / P, get(vma, vm_area_struct.vm_flags)]);
  }
  expect(out.length).toBe(get(mm, mm_struct.map_count));
  return out;
}

beforeEach(() => {
  before = slabInfo();
  mm = mm_alloc();
});
afterEach(() => {
  mmput(mm);
  expect(slabInfo()).toEqual(before);
});

test('neighbours with equal flags become one area, others do not', () => {
  vm_mmap(mm, 16 * P, 2 * P, RW);
  vm_mmap(mm, 18 * P, 2 * P, RW);
  vm_mmap(mm, 20 * P, P, VM_READ);
  vm_mmap(mm, 30 * P, P, RW);
  expect(areas()).toEqual([
    [16, 4, RW],
    [20, 1, VM_READ],
    [30, 1, RW],
  ]);
  vm_mmap(mm, 21 * P, 9 * P, RW);
  expect(areas().at(-1)).toEqual([21, 10, RW]);
});

test('filling the hole between two equal areas joins all three', () => {
  vm_mmap(mm, 16 * P, P, RW);
  vm_mmap(mm, 18 * P, P, RW);
  vm_mmap(mm, 17 * P, P, RW);
  expect(areas()).toEqual([[16, 3, RW]]);
});

test('munmap in the middle splits, at the edges cuts, across several removes', () => {
  vm_mmap(mm, 16 * P, 10 * P, RW);
  vm_munmap(mm, 20 * P, 2 * P);
  expect(areas()).toEqual([
    [16, 4, RW],
    [22, 4, RW],
  ]);
  vm_munmap(mm, 15 * P, 2 * P);
  vm_munmap(mm, 25 * P, 5 * P);
  expect(areas()).toEqual([
    [17, 3, RW],
    [22, 3, RW],
  ]);
  vm_munmap(mm, 0, 100 * P);
  expect(areas()).toEqual([]);
});

test('mapping over areas replaces what was there, and its pages are gone', () => {
  vm_mmap(mm, 16 * P, 4 * P, RW);
  for (let i = 16; i < 20; i++) expect(do_user_addr_fault(mm, i * P, i)).toBe(0);
  const pages = slabInfo().page as number;
  vm_mmap(mm, 17 * P, 2 * P, VM_READ);
  expect(areas()).toEqual([
    [16, 1, RW],
    [17, 2, VM_READ],
    [19, 1, RW],
  ]);
  expect(slabInfo().page).toBe(pages - 2);
});

test('the kernel chooses the lowest hole that is large enough', () => {
  const first = vm_mmap(mm, 0, 2 * P, RW);
  const second = vm_mmap(mm, 0, P, VM_READ);
  expect(second).toBe(first + 2 * P);
  vm_munmap(mm, first, P);
  expect(vm_mmap(mm, 0, 2 * P, VM_READ | 4)).toBe(second + P);
  expect(vm_mmap(mm, 0, P, VM_READ)).toBe(first);
});

test('bad ranges are refused', () => {
  expect(vm_mmap(mm, 0, 0, RW)).toBe(-22);
  expect(vm_mmap(mm, 1, P, RW)).toBe(-22);
  expect(vm_mmap(mm, 2 ** 47, P, RW)).toBe(-12);
  expect(vm_munmap(mm, P, 1)).toBe(-22);
});

test('a write needs an area that allows it', () => {
  vm_mmap(mm, 16 * P, P, VM_READ);
  expect(do_user_addr_fault(mm, 16 * P, 1)).toBe(VM_FAULT_SIGSEGV);
  expect(do_user_addr_fault(mm, 40 * P, 1)).toBe(VM_FAULT_SIGSEGV);
  expect(do_user_addr_fault(mm, 16 * P, undefined)).toBe(0);
});

test('mprotect splits, and joins again when the flags are equal again', () => {
  vm_mmap(mm, 16 * P, 6 * P, RW);
  do_user_addr_fault(mm, 18 * P, 7);
  expect(do_mprotect(mm, 18 * P, 2 * P, VM_READ)).toBe(0);
  expect(areas()).toEqual([
    [16, 2, RW],
    [18, 2, VM_READ],
    [20, 2, RW],
  ]);
  expect(do_user_addr_fault(mm, 18 * P, 8)).toBe(VM_FAULT_SIGSEGV);
  expect(do_mprotect(mm, 18 * P, 2 * P, RW)).toBe(0);
  expect(areas()).toEqual([[16, 6, RW]]);
  expect(do_mprotect(mm, 20 * P, 4 * P, VM_READ)).toBe(-12);
});

test('4,096 areas come and go', () => {
  for (let i = 0; i < 4096; i++) vm_mmap(mm, (16 + 2 * i) * P, P, RW);
  expect(get(mm, mm_struct.map_count)).toBe(4096);
  for (let i = 0; i < 4096; i += 3) vm_munmap(mm, (16 + 2 * i) * P, P);
  expect(areas().length).toBe(4096 - Math.ceil(4096 / 3));
});
