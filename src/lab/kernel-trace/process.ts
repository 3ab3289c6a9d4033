/** The processes of the reference scenarios: ten areas that stay as they are, and the region that is made mergeable. */

import { mm_alloc } from '../../kernel/fork.ts';
import { PAGE_SIZE, VM_READ, VM_WRITE } from '../../kernel/include/mm_types.ts';
import { current, task_struct } from '../../kernel/include/task_struct.ts';
import { do_user_addr_fault } from '../../kernel/mm/memory.ts';
import { vm_mmap } from '../../kernel/mm/mmap.ts';
import { do_mprotect } from '../../kernel/mm/mprotect.ts';
import { set } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';

/** First address of the mergeable region. */
export const REGION = 0x7f0000400000;
/** Areas below the region, and above it: a program's text, data and heap; its stack and vdso. */
const BELOW = 0x400000;
const AREAS_BELOW = 7;
const ABOVE = 0x7ffc00000000;
const AREAS_ABOVE = 3;

/** How the mergeable region looks. */
export interface Region {
  /** 1, or 3 of which the middle one is read-only. */
  vmas: 1 | 3;
  pagesPerVma: number;
  /** What page `n` of the region holds in its first eight bytes. */
  content: (n: number) => number;
}

/**
 * Content number `n` of a page: eight equal bytes. The recorded pages had theirs in this order too: 2 before 0 before 1, which shows in
 * how deep the trees are walked.
 */
export function patternOf(n: number): number {
  const bytes = new Uint8Array(8).fill(0x5a ^ n);
  return new Float64Array(bytes.buffer)[0] as number;
}

/** Bytes of a region. */
export function regionBytes(region: Region): number {
  return region.vmas * region.pagesPerVma * PAGE_SIZE;
}

/** Maps `count` areas, each with room behind it, and a page in every second one. */
function mapOthers(mm: Ptr<'mm_struct'>, from: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const at = from + i * 16 * PAGE_SIZE;
    vm_mmap(mm, at, 4 * PAGE_SIZE, VM_READ | VM_WRITE);
    if (i % 2 === 0) do_user_addr_fault(mm, at, i + 1);
  }
}

/** Makes an address space with a page in some of its ten other areas, and a region whose pages are all there; the current task gets it. */
export function makeProcess(region: Region): Ptr<'mm_struct'> {
  const mm = mm_alloc();
  mapOthers(mm, BELOW, AREAS_BELOW);
  mapOthers(mm, ABOVE, AREAS_ABOVE);
  vm_mmap(mm, REGION, regionBytes(region), VM_READ | VM_WRITE);
  for (let n = 0; n < region.vmas * region.pagesPerVma; n++) do_user_addr_fault(mm, REGION + n * PAGE_SIZE, region.content(n));
  const part = region.pagesPerVma * PAGE_SIZE;
  if (region.vmas === 3) do_mprotect(mm, REGION + part, part, VM_READ);
  set(current(), task_struct.mm, mm);
  return mm;
}
