/** The life of a process as the reproducer has it: map, madvise, touch; and its end. */

import { mm_alloc } from '../../kernel/fork.ts';
import { PAGE_SIZE, VM_READ, VM_WRITE } from '../../kernel/include/mm_types.ts';
import { current, set_task_comm, task_struct } from '../../kernel/include/task_struct.ts';
import { MADV_MERGEABLE } from '../../kernel/mm/ksm.ts';
import { do_madvise } from '../../kernel/mm/madvise.ts';
import { do_user_addr_fault } from '../../kernel/mm/memory.ts';
import { vm_mmap } from '../../kernel/mm/mmap.ts';
import { userStoreBytes } from '../../kernel/mm/user-access.ts';
import { set } from '../../machine/door.ts';
import { EmulatorBug } from '../../machine/errors.ts';
import type { Ptr } from '../../machine/layout.ts';

type Mm = Ptr<'mm_struct'>;

/** Where a process maps its first area: 4 GiB. */
const FIRST = 2 ** 32;

/** What to map. */
export interface Areas {
  count: number;
  /** Pages touched in each. */
  pages: number;
  /** Written to each; 0: one number. */
  bytes: number;
}

/** `pages` pages spread over `vmas` areas, at least one in each. */
export function spread(vmas: number, pages: number, bytes = 0): Areas {
  return { count: vmas, pages: Math.max(1, Math.ceil(pages / vmas)), bytes };
}

/** A program writes `value` to a page, all over its `bytes` or at its start. Returns 0 or the fault. */
function fill(mm: Mm, address: number, value: number, bytes: number): number {
  if (bytes === 0) return do_user_addr_fault(mm, address, value);
  return userStoreBytes(mm, address, new Uint8Array(new Float64Array(bytes / 8).fill(value).buffer));
}

/**
 * Maps `areas` with a hole after each, so that they do not merge, advises them mergeable and touches their pages. Without a frame
 * it stops there: the process was killed, or gets an error that it can't go on with.
 */
export function mapAndTouch(mm: Mm, areas: Areas, content: number): void {
  const length = areas.pages * PAGE_SIZE;
  for (let i = 0; i < areas.count; i++) {
    const at = FIRST + i * (length + PAGE_SIZE);
    const start = vm_mmap(mm, at, length, VM_READ | VM_WRITE);
    if (start !== at) throw new EmulatorBug(`vm_mmap gave ${start}, not ${at}`);
    const error = do_madvise(mm, start, length, MADV_MERGEABLE);
    if (error !== 0) throw new EmulatorBug(`do_madvise gave ${error}`);
    for (let page = 0; page < areas.pages; page++) if (fill(mm, start + page * PAGE_SIZE, content + page, areas.bytes) !== 0) return;
  }
}

/** A new process image with its areas, one user. */
export function newProcess(areas: Areas, content: number): Mm {
  const mm = mm_alloc();
  mapAndTouch(mm, areas, content);
  return mm;
}

/** Gives the current task its name and pid. */
export function nameTask(pid: number, comm: string): void {
  const task = current();
  set(task, task_struct.pid, pid);
  set_task_comm(task, comm);
}
