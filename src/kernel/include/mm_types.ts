/**
 * The structs of an address space (include/linux/mm_types.h, Linux 6.1), their fields grouped by what protects them.
 */
import { embed, pointer, struct, ulong, word, words } from '../../machine/layout.ts';
import { rw_semaphore } from '../locking/rwsem.ts';
import { spinlock_t } from '../locking/spinlock.ts';
import { maple_tree } from './maple_tree.ts';

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;
/** Where in its page an address is. For a double `| 0` keeps the low 32 bits; `%` would call fmod. @inline */
export function offset_in_page(address: number): number {
  return (address | 0) & (PAGE_SIZE - 1);
}
/** The highest index, all bits set in Linux: here the largest exact integer. */
export const ULONG_MAX = 2 ** 53 - 1;
/** End of user addresses, exclusive. */
export const TASK_SIZE = 2 ** 47 - PAGE_SIZE;

// vm_flags
export const VM_READ = 0x1;
export const VM_WRITE = 0x2;
export const VM_EXEC = 0x4;
export const VM_SHARED = 0x8;
export const VM_PFNMAP = 0x400;
export const VM_IO = 0x4000;
export const VM_HUGETLB = 0x400000;
export const VM_MIXEDMAP = 0x10000000;
export const VM_MERGEABLE = 0x80000000 | 0;

// Bit numbers in mm->flags
export const MMF_VM_MERGEABLE = 16;
export const MMF_OOM_SKIP = 21;

export const mm_struct = struct(
  'mm_struct',
  {
    // Atomics, read without a lock. On a cache line of their own, as in Linux.
    mm_users: word,
    /** mm_users counts as one; the last drop frees the struct. */
    mm_count: word,
    flags: word,
    /** Ours, for tracepoints: what __ksm_exit did with the slot (EXIT_*), 0 before. */
    exit_outcome: word,
    pad: words(12),
    mmap_lock: embed(rw_semaphore),
    // Protected by mmap_lock.
    mm_mt: embed(maple_tree),
    map_count: word,
    /** First VMA of the linked list that kernels before 6.1 walked (variant linked-list). */
    mmap: pointer('vm_area_struct'),
    // Protected by page_table_lock.
    page_table_lock: embed(spinlock_t),
    /** Page tables: hash chains of pte tables (mm/pgtable.ts), one per PGD slot. */
    pgd: words(32),
    nr_ptes: word,
    /** Frames mapped here (MM_ANONPAGES): how much its end would give back. */
    rss: word,
    // Written by ksmd, the unmerge pass and merging code of this mm; racy counters as in Linux.
    ksm_rmap_items: word,
    ksm_merging_pages: word,
    /** A number for people: A, B, C ... in traces. */
    id: word,
  },
  64,
);

export const vm_area_struct = struct('vm_area_struct', {
  // Protected by mmap_lock of vm_mm.
  /** First address. */
  vm_start: ulong,
  /** First address after it. */
  vm_end: ulong,
  vm_mm: pointer('mm_struct'),
  vm_flags: word,
  /** NULL until the first page appears. */
  anon_vma: pointer('anon_vma'),
  /** The list that kernels before 6.1 walked. */
  vm_next: pointer('vm_area_struct'),
  vm_prev: pointer('vm_area_struct'),
  /** A file mapping's file (a number), 0 for anonymous memory. */
  vm_file: word,
});

export const anon_vma = struct('anon_vma', {
  rwsem: embed(rw_semaphore),
  /** All VMAs that refer to it together hold one; each rmap_item in KSM's stable tree holds one. Atomic. */
  refcount: word,
  /** VMAs that refer to it. Atomic. */
  nr_vmas: word,
});

// Low bits of page->mapping.
/** The rest is the anon_vma. */
export const PAGE_MAPPING_ANON = 1;
/** The rest is the stable node, or NULL while the page has none yet. */
export const PAGE_MAPPING_KSM = 3;

/** A page frame: `struct page`. It stays a page when it is free, so a stale pointer to it may be looked at (see get_ksm_page). */
export const page = struct(
  'page',
  {
    /** Its place on the list of free frames, while it is free. First, so that the counts stay 0 then. */
    lru: word,
    /** References. Atomic. */
    _refcount: word,
    /** Page-table entries that map it, minus one. Atomic. */
    _mapcount: word,
    /** PG_locked and PG_waiters of Linux: a lock word (word-lock.ts). */
    locked: word,
    /** anon_vma or stable node with PAGE_MAPPING_* bits. Read racily. */
    mapping: word,
    // Content, see mm/page-content.ts. Who writes it has mapped the page writable.
    /** Address of all the bytes; 0: the first eight are `content`, the others zero. */
    data: word,
    content: ulong,
  },
  32,
);
