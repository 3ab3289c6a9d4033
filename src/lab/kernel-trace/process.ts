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
const OTHERS = 0x400000;
const OTHER_AREAS = 10;

/** How the mergeable region looks. */
export interface Region {
  /** 1, or 3 of which the middle one is read-only. */
  vmas: 1 | 3;
  pagesPerVma: number;
  /** What page `n` of the region holds. */
  content: (n: number) => number;
}

/** Bytes of a region. */
export function regionBytes(region: Region): number {
  return region.vmas * region.pagesPerVma * PAGE_SIZE;
}

/** Makes an address space with a page in some of its ten other areas, and a region whose pages are all there; the current task gets it. */
export function makeProcess(region: Region): Ptr<'mm_struct'> {
  const mm = mm_alloc();
  for (let i = 0; i < OTHER_AREAS; i++) {
    const at = OTHERS + i * 16 * PAGE_SIZE;
    vm_mmap(mm, at, 4 * PAGE_SIZE, VM_READ | VM_WRITE);
    if (i % 2 === 0) do_user_addr_fault(mm, at, i + 1);
  }
  vm_mmap(mm, REGION, regionBytes(region), VM_READ | VM_WRITE);
  for (let n = 0; n < region.vmas * region.pagesPerVma; n++) do_user_addr_fault(mm, REGION + n * PAGE_SIZE, region.content(n));
  const part = region.pagesPerVma * PAGE_SIZE;
  if (region.vmas === 3) do_mprotect(mm, REGION + part, part, VM_READ);
  set(current(), task_struct.mm, mm);
  return mm;
}
