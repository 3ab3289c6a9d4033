/**
 * The scanner: ksmd walks the pages of all mergeable areas, one rmap_item each (mm/ksm.c, Linux 6.1). What becomes of a page is
 * decided in ksm-cmp.ts.
 */
import { addressOf, get, getUlong, READ_ONCE, set, setUlong } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { stopRequested } from '../../machine/wait.ts';
import { mmdrop } from '../fork.ts';
import { list_empty } from '../include/list.ts';
import { mm_struct, PAGE_SIZE, ULONG_MAX, VM_MERGEABLE, vm_area_struct } from '../include/mm_types.ts';
import { mmap_read_lock, mmap_read_unlock } from '../include/mmap_lock.ts';
import { PageAnon } from '../include/page-flags.ts';
import { ksm_test_exit } from '../include/sched-mm.ts';
import { mas_find } from '../lib/maple-tree/iterate.ts';
import { MA_STATE } from '../lib/maple-tree/state.ts';
import { rb_root } from '../lib/rbtree.ts';
import { mutex_lock, mutex_unlock } from '../locking/mutex.ts';
import { spin_lock, spin_unlock } from '../locking/spinlock.ts';
import { finish_wait, prepare_to_wait, schedule_timeout } from '../sched/wait-queue.ts';
import { trace_full_scans, trace_lru_add_drain_all, trace_scan_cursor, trace_unstable_tree_reset } from '../trace/trace-ksm.ts';
import { cmp_and_merge_page } from './ksm-cmp.ts';
import { get_next_rmap_item, remove_trailing_rmap_items } from './ksm-rmap.ts';
import { ksm_clear_mergeable, mm_slot_free, mm_slot_unlink } from './ksm-slots.ts';
import {
  KSM,
  KSM_RUN_MERGE,
  ksm,
  ksm_iter_wait,
  ksm_mm_head,
  ksm_mm_slot,
  ksm_mmlist_lock,
  ksm_rmap_item,
  ksm_thread_mutex,
  ksm_thread_wait,
  next_slot,
  root_unstable_tree,
} from './ksm-types.ts';

import { get_page, put_page } from './page_alloc.ts';
import { next_present, pte_lock, pte_lookup, pte_unlock, vm_normal_page } from './pgtable.ts';

type Slot = Ptr<'ksm_mm_slot'>;
type Item = Ptr<'ksm_rmap_item'>;

/** How long ksmd sleeps at most before it looks whether the run ends, in ms. */
const IDLE_MS = 100;

/** No memory for an rmap_item: the scan goes on here another time. */
const NO_MEMORY = -1 as Item;

/**
 * The next anonymous page of the area from the cursor on, with a reference; the cursor stops at it, or at `end` if there is none. Must
 * hold mmap_lock. (Linux: a page-table walk with ksm_next_page_pmd_entry.)
 */
function ksm_next_page(vma: Ptr<'vm_area_struct'>, end: number): Ptr<'page'> {
  const mm = get(vma, vm_area_struct.vm_mm);
  let p: Ptr<'page'> = NULL;
  pte_lock(mm);
  let address = next_present(mm, getUlong(ksm, KSM.scan_address), end);
  for (; address < end; address = next_present(mm, address + PAGE_SIZE, end)) {
    p = vm_normal_page(pte_lookup(mm, address));
    if (p !== NULL && PageAnon(p)) break;
    p = NULL;
  }
  if (p !== NULL) get_page(p);
  pte_unlock(mm);
  setUlong(ksm, KSM.scan_address, address);
  return p;
}

/** The item of the page that the cursor is at, whose reference it takes; the cursor moves behind it. @inline */
function item_of_page(slot: Slot, p: Ptr<'page'>): Item {
  const address = getUlong(ksm, KSM.scan_address);
  const item = get_next_rmap_item(slot, get(ksm, KSM.scan_rmap_list), address);
  if (item === NULL) {
    put_page(p);
    return NO_MEMORY;
  }
  set(ksm, KSM.scan_rmap_list, addressOf(item, ksm_rmap_item.rmap_list));
  setUlong(ksm, KSM.scan_address, address + PAGE_SIZE);
  set(ksm, KSM.scan_page, p);
  return item;
}

/**
 * Looks for the next anonymous page from the cursor on in the slot's mm. Must hold mmap_lock for read. @inline
 * @returns its rmap_item, with the page referenced in ksm_scan; NULL when the mm has no further one
 */
function scan_mm(slot: Slot): Item {
  const mm = get(slot, ksm_mm_slot.mm);
  const vmi = MA_STATE(addressOf(mm, mm_struct.mm_mt), getUlong(ksm, KSM.scan_address), getUlong(ksm, KSM.scan_address));
  for (let found = mas_find(vmi, ULONG_MAX); found !== 0; found = mas_find(vmi, ULONG_MAX)) {
    const vma = found as Ptr<'vm_area_struct'>;
    if ((get(vma, vm_area_struct.vm_flags) & VM_MERGEABLE) === 0) continue;
    const start = getUlong(vma, vm_area_struct.vm_start);
    const end = getUlong(vma, vm_area_struct.vm_end);
    if (getUlong(ksm, KSM.scan_address) < start) setUlong(ksm, KSM.scan_address, start);
    if (get(vma, vm_area_struct.anon_vma) === NULL) setUlong(ksm, KSM.scan_address, end);
    while (getUlong(ksm, KSM.scan_address) < end) {
      if (ksm_test_exit(mm)) break;
      const p = ksm_next_page(vma, end);
      if (p !== NULL) return item_of_page(slot, p);
    }
  }
  return NULL;
}

/**
 * The rmap_item of the next page of the scan, NULL at the end of a full scan. Its page is in ksm_scan, referenced.
 * Must hold ksm_thread_mutex. May sleep.
 */
function scan_get_next_rmap_item(): Item {
  if (list_empty(addressOf(ksm_mm_head, ksm_mm_slot.mm_list))) return NULL;
  let slot = get(ksm, KSM.scan_mm_slot);
  if (slot === ksm_mm_head) {
    trace_lru_add_drain_all();
    set(root_unstable_tree, rb_root.rb_node, NULL);
    trace_unstable_tree_reset();
    spin_lock(ksm_mmlist_lock);
    slot = next_slot(slot);
    set(ksm, KSM.scan_mm_slot, slot);
    trace_scan_cursor(get(slot, ksm_mm_slot.mm));
    spin_unlock(ksm_mmlist_lock);
    // The list was looked at without its lock, so it can have become empty.
    if (slot === ksm_mm_head) return NULL;
    setUlong(ksm, KSM.scan_address, 0);
    set(ksm, KSM.scan_rmap_list, addressOf(slot, ksm_mm_slot.rmap_list));
  }
  for (;;) {
    const mm = get(slot, ksm_mm_slot.mm);
    mmap_read_lock(mm);
    let item: Item = NULL;
    let exiting = ksm_test_exit(mm);
    if (!exiting) {
      item = scan_mm(slot);
      if (item !== NULL) {
        mmap_read_unlock(mm);
        return item === NO_MEMORY ? NULL : item;
      }
      exiting = ksm_test_exit(mm);
    }
    if (exiting) {
      setUlong(ksm, KSM.scan_address, 0);
      set(ksm, KSM.scan_rmap_list, addressOf(slot, ksm_mm_slot.rmap_list));
    }
    slot = scan_leave_mm(slot);
    if (slot === ksm_mm_head) break;
    setUlong(ksm, KSM.scan_address, 0);
    set(ksm, KSM.scan_rmap_list, addressOf(slot, ksm_mm_slot.rmap_list));
  }
  const scans = get(ksm, KSM.scan_seqnr) + 1;
  set(ksm, KSM.scan_seqnr, scans);
  trace_full_scans(scans);
  return NULL;
}

/**
 * The scan is through with the slot's mm: frees items past the last page, moves the cursor on, and drops the slot
 * of an mm without mergeable areas or without users. Must hold mmap_lock for read, and gives it up. @inline
 * @returns the slot that the cursor is on now
 */
function scan_leave_mm(slot: Slot): Slot {
  const mm = get(slot, ksm_mm_slot.mm);
  remove_trailing_rmap_items(get(ksm, KSM.scan_rmap_list));
  spin_lock(ksm_mmlist_lock);
  const next = next_slot(slot);
  set(ksm, KSM.scan_mm_slot, next);
  trace_scan_cursor(get(next, ksm_mm_slot.mm));
  if (getUlong(ksm, KSM.scan_address) === 0) {
    mm_slot_unlink(slot, mm);
    spin_unlock(ksm_mmlist_lock);
    mm_slot_free(slot, mm);
    ksm_clear_mergeable(mm);
    mmap_read_unlock(mm);
    mmdrop(mm);
  } else {
    // mmap_lock goes first: as soon as ksm_mmlist_lock is free, __ksm_exit may free the slot, and the mm with it.
    mmap_read_unlock(mm);
    spin_unlock(ksm_mmlist_lock);
  }
  return next;
}

/** Scans up to `scan_npages` pages. Must hold ksm_thread_mutex. May sleep. */
export function ksm_do_scan(scan_npages: number): void {
  for (let left = scan_npages; left > 0; left--) {
    const item = scan_get_next_rmap_item();
    if (item === NULL) return;
    const p = get(ksm, KSM.scan_page);
    cmp_and_merge_page(p, item);
    put_page(p);
  }
}

/** Is merging switched on, and is there anything to scan? A racy look. @inline */
function ksmd_should_run(): boolean {
  return (READ_ONCE(ksm, KSM.run) & KSM_RUN_MERGE) !== 0 && !list_empty(addressOf(ksm_mm_head, ksm_mm_slot.mm_list));
}

/**
 * ksmd: scans a batch, sleeps, and so on until the run is stopped.
 * @param wake_ups  end after so many batches, without the sleep behind the last one (ours: Linux goes on for ever)
 */
export function ksm_scan_thread(wake_ups: number): void {
  for (let turn = 1; !stopRequested(); turn++) {
    mutex_lock(ksm_thread_mutex);
    if (ksmd_should_run()) ksm_do_scan(get(ksm, KSM.pages_to_scan));
    mutex_unlock(ksm_thread_mutex);
    if (turn >= wake_ups) return;
    if (ksmd_should_run()) {
      const seen = prepare_to_wait(ksm_iter_wait);
      schedule_timeout(ksm_iter_wait, seen, READ_ONCE(ksm, KSM.sleep_millisecs));
      finish_wait(ksm_iter_wait);
    } else {
      const seen = prepare_to_wait(ksm_thread_wait);
      if (!ksmd_should_run()) schedule_timeout(ksm_thread_wait, seen, IDLE_MS);
      finish_wait(ksm_thread_wait);
    }
  }
}
