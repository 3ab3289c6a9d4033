/**
 * KSM: equal pages of processes that ask for it become one write-protected page (mm/ksm.c, Linux 6.1).
 *
 * This is the entrance: slots enter and leave here (`__ksm_enter`, `__ksm_exit`), and `run_store` is the `run` file. The rest by file:
 *
 * | file | functions |
 * |---|---|
 * | ksm-types.ts, ksm-counters.ts, ksm-slots.ts | structs, globals, counters, slots |
 * | ksm-scan.ts | ksm_scan_thread, ksm_do_scan, scan_get_next_rmap_item |
 * | ksm-cmp.ts | cmp_and_merge_page |
 * | ksm-stable-tree.ts, ksm-unstable-tree.ts | stable_tree_search, _insert, _append; unstable_tree_search_insert, get_mergeable_page |
 * | ksm-stable-node.ts, ksm-chain.ts | get_ksm_page, remove_node_from_stable_tree, remove_all_stable_nodes; chains and dups |
 * | ksm-merge.ts | try_to_merge_one_page, _with_ksm_page, _two_pages, write_protect_page, replace_page |
 * | ksm-break.ts | break_ksm, break_cow, unmerge_ksm_pages |
 * | ksm-rmap.ts | rmap_items: get_next_rmap_item, remove_rmap_item_from_tree, remove_trailing_rmap_items |
 * | ksm-unmerge.ts, ksm-variants.ts | the pass that undoes all merging, in which the race happens, and its variants |
 * | ksm-sysfs.ts, ksm-check.ts, ksm-2009.ts | control files; a recount of everything (ours); exit before the fix of 2009 |
 *
 * Left out: NUMA, memory hotplug, migration, huge pages, swap.
 */
import { addressOf, get, READ_ONCE, set, set_bit, test_bit, WRITE_ONCE } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { EINVAL } from '../include/errno.ts';
import { list_add_tail, list_empty, list_move } from '../include/list.ts';
import {
  MMF_VM_MERGEABLE,
  mm_struct,
  VM_HUGETLB,
  VM_IO,
  VM_MERGEABLE,
  VM_MIXEDMAP,
  VM_PFNMAP,
  VM_SHARED,
  vm_area_struct,
} from '../include/mm_types.ts';
import { mmap_write_lock, mmap_write_unlock } from '../include/mmap_lock.ts';
import { mmgrab } from '../include/sched-mm.ts';
import { current, PF_OOM_ORIGIN, task_struct } from '../include/task_struct.ts';
import { mutex_lock, mutex_unlock } from '../locking/mutex.ts';
import { spin_lock, spin_unlock } from '../locking/spinlock.ts';
import { wake_up_interruptible } from '../sched/wait-queue.ts';
import {
  EXIT_CURSOR_EMPTY,
  EXIT_CURSOR_ITEMS,
  EXIT_EASY,
  EXIT_MOVED,
  EXIT_NO_SLOT,
  trace_ksm_exit,
  trace_ksm_fork,
  trace_ksm_run,
  trace_mergeable_test,
  trace_mm_list_add,
  trace_mm_list_move,
  trace_mm_list_state,
  trace_mm_slot_hash_add,
  trace_mm_slot_lookup,
  trace_vm_mergeable_clear,
  trace_vm_mergeable_set,
  trace_wake_ksmd,
} from '../trace/trace-ksm.ts';
import { trace_mm_flag_set } from '../trace/trace-mm.ts';
import { OBJ_MMF_VM_MERGEABLE } from '../trace/vocabulary.ts';
import { unmerge_ksm_pages } from './ksm-break.ts';
import { ksm_forget, mm_slot_alloc, mm_slot_unlink } from './ksm-slots.ts';
import {
  KSM,
  KSM_RUN_MERGE,
  KSM_RUN_STOP,
  KSM_RUN_UNMERGE,
  ksm,
  ksm_mm_head,
  ksm_mm_slot,
  ksm_mmlist_lock,
  ksm_thread_mutex,
  ksm_thread_wait,
  mm_slot_insert,
  mm_slot_lookup,
  rmap_link,
} from './ksm-types.ts';
import { unmerge_and_remove_all_rmap_items } from './ksm-unmerge.ts';

type Mm = Ptr<'mm_struct'>;

export const MADV_MERGEABLE = 12;
export const MADV_UNMERGEABLE = 13;

/** KSM gets to know an mm: its first mergeable area. Must hold mmap_lock for write. Returns 0. */
export function __ksm_enter(mm: Mm): number {
  const slot = mm_slot_alloc(mm);
  // Read without the lock: at worst a wake-up too many or one that the next enter makes.
  const needs_wakeup = list_empty(addressOf(ksm_mm_head, ksm_mm_slot.mm_list));
  spin_lock(ksm_mmlist_lock);
  mm_slot_insert(mm, slot);
  trace_mm_slot_hash_add(mm);
  // In a merging system a new mm comes just behind the cursor, so that it is not scanned before it settles; while unmerging
  // it comes ahead of it, because nothing may be missed.
  const behind = (READ_ONCE(ksm, KSM.run) & KSM_RUN_UNMERGE) !== 0 ? ksm_mm_head : get(ksm, KSM.scan_mm_slot);
  list_add_tail(addressOf(slot, ksm_mm_slot.mm_list), addressOf(behind, ksm_mm_slot.mm_list));
  trace_mm_list_add(mm);
  trace_mm_list_state();
  spin_unlock(ksm_mmlist_lock);
  set_bit(MMF_VM_MERGEABLE, mm, mm_struct.flags);
  trace_mm_flag_set(mm, OBJ_MMF_VM_MERGEABLE);
  mmgrab(mm);
  if (needs_wakeup) {
    trace_wake_ksmd();
    wake_up_interruptible(ksm_thread_wait);
  }
  return 0;
}

/**
 * The last user has gone. A slot without rmap_items and without the cursor is freed here; else it is left to the scanner, and
 * mmap_lock is taken for write once, so that whoever reads under it is waited for. May sleep.
 */
export function __ksm_exit(mm: Mm): void {
  let easy_to_free = false;
  let outcome = EXIT_NO_SLOT;
  spin_lock(ksm_mmlist_lock);
  const slot = mm_slot_lookup(mm);
  trace_mm_slot_lookup(mm, slot === NULL ? 0 : 1);
  if (slot !== NULL) {
    const items = get(addressOf(slot, ksm_mm_slot.rmap_list), rmap_link.item) !== NULL;
    const cursor = get(ksm, KSM.scan_mm_slot);
    if (cursor === slot) outcome = items ? EXIT_CURSOR_ITEMS : EXIT_CURSOR_EMPTY;
    else if (items) {
      outcome = EXIT_MOVED;
      list_move(addressOf(slot, ksm_mm_slot.mm_list), addressOf(cursor, ksm_mm_slot.mm_list));
      trace_mm_list_move(mm);
      trace_mm_list_state();
    } else {
      outcome = EXIT_EASY;
      easy_to_free = true;
      mm_slot_unlink(slot, mm);
    }
  }
  set(mm, mm_struct.exit_outcome, outcome);
  trace_ksm_exit(mm, outcome);
  spin_unlock(ksm_mmlist_lock);

  if (easy_to_free) ksm_forget(slot, mm);
  else if (slot !== NULL) {
    mmap_write_lock(mm);
    mmap_write_unlock(mm);
  }
}

/** Part of __mmput. @inline */
export function ksm_exit(mm: Mm): void {
  const mergeable = test_bit(MMF_VM_MERGEABLE, mm, mm_struct.flags);
  trace_mergeable_test(mm, mergeable ? 1 : 0);
  if (mergeable) __ksm_exit(mm);
}

/** The child of a mergeable mm enters too. Must hold both mmap_locks for write. Returns 0. @inline */
export function ksm_fork(mm: Mm, oldmm: Mm): number {
  const mergeable = test_bit(MMF_VM_MERGEABLE, oldmm, mm_struct.flags);
  trace_ksm_fork(mm, mergeable ? 1 : 0);
  return mergeable ? __ksm_enter(mm) : 0;
}

/**
 * What MADV_MERGEABLE and MADV_UNMERGEABLE mean for an area. Must hold mmap_lock for write.
 * @returns the area's new flags (bit 31 set: mergeable), or a negative errno above -4096
 */
export function ksm_madvise(vma: Ptr<'vm_area_struct'>, start: number, end: number, advice: number): number {
  const mm = get(vma, vm_area_struct.vm_mm);
  const vm_flags = get(vma, vm_area_struct.vm_flags);
  if (advice === MADV_MERGEABLE) {
    if ((vm_flags & (VM_MERGEABLE | VM_SHARED | VM_PFNMAP | VM_IO | VM_HUGETLB | VM_MIXEDMAP)) !== 0) return vm_flags;
    if (!test_bit(MMF_VM_MERGEABLE, mm, mm_struct.flags)) __ksm_enter(mm);
    trace_vm_mergeable_set(mm);
    return vm_flags | VM_MERGEABLE;
  }
  if ((vm_flags & VM_MERGEABLE) === 0) return vm_flags;
  if (get(vma, vm_area_struct.anon_vma) !== NULL) {
    const error = unmerge_ksm_pages(vma, start, end);
    if (error !== 0) return error;
  }
  trace_vm_mergeable_clear(mm);
  return vm_flags & ~VM_MERGEABLE;
}

/** What a write to the run file means: 0, 1, 2, or -EINVAL. @inline */
function run_value(text: string): number {
  if (text === '2') return KSM_RUN_UNMERGE;
  if (text === '1') return KSM_RUN_MERGE;
  return /^\s*\+?[0-2]\s*$/.test(text) ? Number(text) : -EINVAL;
}

/**
 * A write to /sys/kernel/mm/ksm/run. May sleep.
 * @param text  what was written
 * @returns 0 (Linux: the bytes taken), -EINVAL for anything but 0, 1, 2, or the error of the unmerge pass
 */
export function run_store(text: string): number {
  const flags = run_value(text);
  if (flags < 0) return flags;
  let error = 0;
  mutex_lock(ksm_thread_mutex);
  if (READ_ONCE(ksm, KSM.run) !== flags) {
    WRITE_ONCE(ksm, KSM.run, flags);
    trace_ksm_run(flags);
    if ((flags & KSM_RUN_UNMERGE) !== 0) {
      const curr = current();
      set(curr, task_struct.flags, get(curr, task_struct.flags) | PF_OOM_ORIGIN);
      error = unmerge_and_remove_all_rmap_items();
      set(curr, task_struct.flags, get(curr, task_struct.flags) & ~PF_OOM_ORIGIN);
      if (error !== 0) {
        WRITE_ONCE(ksm, KSM.run, KSM_RUN_STOP);
        trace_ksm_run(KSM_RUN_STOP);
      }
    }
  }
  mutex_unlock(ksm_thread_mutex);
  if ((flags & KSM_RUN_MERGE) !== 0) {
    trace_wake_ksmd();
    wake_up_interruptible(ksm_thread_wait);
  }
  return error;
}
