/**
 * Page tables: from a virtual page to its frame, per mm.
 *
 * In place of the hardware's radix tree each mm has a small hash (`mm->pgd`) of tables of 512 entries; a chain per
 * hash slot. An entry is the frame's address with flags in its low bits, 0 when nothing is mapped. Everything here is
 * protected by the mm's page_table_lock. @notrace
 */
import { addressOf, get, getUlong, set, setUlong } from '../../machine/door.ts';
import { type Field, NULL, type Ptr, pointer, struct, ulong, type Word, words } from '../../machine/layout.ts';
import { mm_struct, PAGE_SHIFT } from '../include/mm_types.ts';
import { spin_lock, spin_unlock } from '../locking/spinlock.ts';
import { KMEM_CACHE, kmem_cache_alloc, kmem_cache_free } from './slab.ts';

export const PTRS_PER_PTE = 512;
const PGD_SLOTS = 32;

/** Flags of an entry. */
export const PTE_PRESENT = 1;
export const PTE_WRITE = 2;
/** Maps the page of zeros: no counts, nobody's page. */
export const PTE_SPECIAL = 4;
const PTE_FLAGS = 31;

const pte_table = struct('pte_table', {
  next: pointer('pte_table'),

  /** Number of the table: virtual page number / PTRS_PER_PTE. */
  index: ulong,
  ptes: words(PTRS_PER_PTE),
});
/** A table goes back with all entries 0. */
const pte_table_cachep = KMEM_CACHE(pte_table, true);

type Mm = Ptr<'mm_struct'>;
type Table = Ptr<'pte_table'>;
type TableField = Field<'mm_struct', { readonly to: 'pte_table' }>;
type EntryField = Field<'pte_table', Word>;

function pgdSlot(index: number): TableField {
  return ((mm_struct.pgd as number) + ((index | 0) & (PGD_SLOTS - 1)) * 4) as TableField;
}

function entry(vpn: number): EntryField {
  return ((pte_table.ptes as number) + ((vpn | 0) & (PTRS_PER_PTE - 1)) * 4) as EntryField;
}

function findTable(mm: Mm, index: number): Table {
  let table = get(mm, pgdSlot(index));
  while (table !== NULL && getUlong(table, pte_table.index) !== index) table = get(table, pte_table.next);
  return table;
}

/** Takes the page-table lock of an mm. */
export function pte_lock(mm: Mm): void {
  spin_lock(addressOf(mm, mm_struct.page_table_lock));
}
export function pte_unlock(mm: Mm): void {
  spin_unlock(addressOf(mm, mm_struct.page_table_lock));
}

/** The entry for the page at `address`, 0 if there is none. Must hold page_table_lock. */
export function pte_lookup(mm: Mm, address: number): number {
  const vpn = Math.floor(address / 2 ** PAGE_SHIFT);
  const table = findTable(mm, Math.floor(vpn / PTRS_PER_PTE));
  return table === NULL ? 0 : get(table, entry(vpn));
}

/** Sets the entry for the page at `address`; makes the table if needed. Must hold page_table_lock. */
export function set_pte_at(mm: Mm, address: number, pte: number): void {
  const vpn = Math.floor(address / 2 ** PAGE_SHIFT);
  const index = Math.floor(vpn / PTRS_PER_PTE);
  let table = findTable(mm, index);
  if (table === NULL) {
    table = kmem_cache_alloc(pte_table_cachep);
    const slot = pgdSlot(index);
    set(table, pte_table.next, get(mm, slot));
    setUlong(table, pte_table.index, index);
    set(mm, slot, table);
    set(mm, mm_struct.nr_ptes, get(mm, mm_struct.nr_ptes) + 1);
  }
  set(table, entry(vpn), pte);
}

/** The next address from `address` up, below `end`, that has an entry; `end` if none. Must hold page_table_lock. */
export function next_present(mm: Mm, address: number, end: number): number {
  let vpn = Math.floor(address / 2 ** PAGE_SHIFT);
  const last = Math.floor(end / 2 ** PAGE_SHIFT);
  while (vpn < last) {
    const table = findTable(mm, Math.floor(vpn / PTRS_PER_PTE));
    const stop = Math.min(last, (Math.floor(vpn / PTRS_PER_PTE) + 1) * PTRS_PER_PTE);
    if (table !== NULL) {
      for (; vpn < stop; vpn++) if (get(table, entry(vpn)) !== 0) return vpn * 2 ** PAGE_SHIFT;
    }
    vpn = stop;
  }
  return end;
}

/** The frame of an entry. */
export function pte_page(pte: number): Ptr<'page'> {
  return (pte & ~PTE_FLAGS) as Ptr<'page'>;
}

/** The frame of an entry, NULL when it is the page of zeros or nothing: a page that belongs to somebody. */
export function vm_normal_page(pte: number): Ptr<'page'> {
  return (pte & PTE_SPECIAL) !== 0 ? NULL : pte_page(pte);
}

/** The entry without permission to write. */
export function pte_wrprotect(pte: number): number {
  return pte & ~PTE_WRITE;
}

export function mk_pte(page: Ptr<'page'>, flags: number): number {
  return page | flags;
}

/** Frees all tables; every entry must be 0. Must hold mmap_lock for write or be the last user. */
export function free_pgd_range(mm: Mm): void {
  let left = get(mm, mm_struct.nr_ptes);
  for (let slot = 0; left > 0; slot++) {
    let table = get(mm, pgdSlot(slot));
    if (table === NULL) continue;
    set(mm, pgdSlot(slot), NULL);
    for (; table !== NULL; left--) {
      const next = get(table, pte_table.next);
      kmem_cache_free(pte_table_cachep, table);
      table = next;
    }
  }
  set(mm, mm_struct.nr_ptes, 0);
}
