/**
 * What the emulated CPU does for a program: reads and writes of its memory. They need no lock when the page is there; else the
 * program faults (`do_user_addr_fault`).
 */
import type { Ptr } from '../../machine/layout.ts';
import { offset_in_page } from '../include/mm_types.ts';
import { do_user_addr_fault, faultOnce, storeIfWritable } from './memory.ts';
import { loadBytes, storeBytes } from './page-content.ts';
import { PTE_WRITE, pte_lock, pte_lookup, pte_page, pte_unlock } from './pgtable.ts';

type Mm = Ptr<'mm_struct'>;

/**
 * Writes a number at the start of the page at `address`.
 * @returns 0 or VM_FAULT_SIGSEGV, VM_FAULT_OOM
 */
export function userStore(mm: Mm, address: number, value: number): number {
  if (storeIfWritable(mm, address - offset_in_page(address), value)) return 0;
  return do_user_addr_fault(mm, address, value);
}

function tryStoreBytes(mm: Mm, address: number, bytes: Uint8Array): boolean {
  const offset = offset_in_page(address);
  pte_lock(mm);
  const pte = pte_lookup(mm, address - offset);
  const writable = (pte & PTE_WRITE) !== 0;
  if (writable) storeBytes(pte_page(pte), offset, bytes);
  pte_unlock(mm);
  return writable;
}

/**
 * Writes bytes, all within one page.
 * @returns 0 or VM_FAULT_SIGSEGV, VM_FAULT_OOM
 */
export function userStoreBytes(mm: Mm, address: number, bytes: Uint8Array): number {
  while (!tryStoreBytes(mm, address, bytes)) {
    const fault = faultOnce(mm, address, true);
    if (fault !== 0) return fault;
  }
  return 0;
}

/** A copy of all content of the page at `address`, `undefined` when the program may not read there. */
export function userLoadPage(mm: Mm, address: number): Uint8Array | undefined {
  const start = address - offset_in_page(address);
  for (;;) {
    pte_lock(mm);
    const pte = pte_lookup(mm, start);
    const bytes = pte === 0 ? undefined : loadBytes(pte_page(pte));
    pte_unlock(mm);
    if (bytes !== undefined) return bytes;
    if (do_user_addr_fault(mm, start, undefined) !== 0) return undefined;
  }
}

/** The number at the start of the page at `address`, NaN when the program may not read there. */
export function userLoadNumber(mm: Mm, address: number): number {
  const bytes = userLoadPage(mm, address);
  return bytes === undefined ? Number.NaN : new DataView(bytes.buffer).getFloat64(0, true);
}
