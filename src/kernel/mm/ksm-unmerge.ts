/**
 * The unmerge pass: what writing 2 to the `run` file does (mm/ksm.c, Linux 6.1). The race happens in here:
 *
 * ```
 * task 1                                          task 2
 * unmerge_and_remove_all_rmap_items()
 *  spin_lock(&ksm_mmlist_lock);
 *  ksm_scan.mm_slot is set
 *  spin_unlock(&ksm_mmlist_lock);
 *                                                 mmput()            mm_users is 0 now, mm_count is not
 *                                                  __mmput()
 *                                                   __ksm_exit()     the cursor is on the slot, or it has rmap_items:
 *                                                                    the slot stays, mmap_lock is taken and dropped
 *                                                   exit_mmap()
 *                                                    mmap_write_lock();
 *                                                    __mt_destroy()  the tree's flags are 0: LOCK_EXTERN is gone
 *                                                    mmap_write_unlock();
 *  mmap_read_lock();
 *  first step of the VMA iterator: the validator checks the tree's own spinlock, which nobody holds
 * ```
 */
import { addressOf, data_race, get, set } from '../../machine/door.ts';
import { panic } from '../../machine/errors.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { MT_FLAGS_LOCK_EXTERN, MT_FLAGS_LOCK_MASK, maple_tree } from '../include/maple_tree.ts';
import { mm_struct } from '../include/mm_types.ts';
import { mmap_read_lock, mmap_read_unlock } from '../include/mmap_lock.ts';
import { ksm_test_exit } from '../include/sched-mm.ts';
import { current, task_struct } from '../include/task_struct.ts';
import { rw_semaphore } from '../locking/rwsem.ts';
import { spin_lock, spin_unlock } from '../locking/spinlock.ts';
import {
  trace_full_scans,
  trace_ksm_unmerge_done,
  trace_ksm_unmerge_visit,
  trace_scan_cursor,
  VISIT_DESTROYED,
  VISIT_DESTROYED_BEFORE,
  VISIT_OUTCOME_SHIFT,
} from '../trace/trace-ksm.ts';
import { remove_trailing_rmap_items } from './ksm-rmap.ts';
import { ksm_forget, mm_slot_unlink } from './ksm-slots.ts';
import { remove_all_stable_nodes } from './ksm-stable-node.ts';
import { KSM, ksm, ksm_mm_head, ksm_mm_slot, ksm_mmlist_lock, next_slot } from './ksm-types.ts';
import { unmerge_vmas } from './ksm-variants.ts';

type Mm = Ptr<'mm_struct'>;

/** Have the tree's flags been cleared by __mt_destroy? A look for tracepoints: no scheduling point. @inline */
function mm_tree_destroyed(mm: Mm): boolean {
  return (data_race(addressOf(mm, mm_struct.mm_mt), maple_tree.ma_flags) & MT_FLAGS_LOCK_MASK) !== MT_FLAGS_LOCK_EXTERN;
}

/** The author's own check: the tree of the iterator names the lock that was taken. It never fires. @inline */
function bug_on_wrong_lock(mm: Mm): void {
  const lock = addressOf(addressOf(mm, mm_struct.mmap_lock), rw_semaphore.dep_map);
  if (get(addressOf(mm, mm_struct.mm_mt), maple_tree.ma_external_lock) !== lock) {
    panic("unmerge_and_remove_all_rmap_items: BUG_ON: the lock of the VMA iterator is not the mm's mmap_lock");
  }
}

/** Announces that the pass is right behind mmap_read_lock, and which of the ways led there. @inline */
function announce_visit(mm: Mm, destroyed_before: boolean, waited: boolean): void {
  const destroyed = mm_tree_destroyed(mm);
  const before = destroyed && (destroyed_before || !waited);
  const outcome = data_race(mm, mm_struct.exit_outcome);
  trace_ksm_unmerge_visit(mm, (before ? VISIT_DESTROYED_BEFORE : 0) | (destroyed ? VISIT_DESTROYED : 0) | (outcome << VISIT_OUTCOME_SHIFT));
}

/**
 * Undoes all merging: visits every slot. Must hold ksm_thread_mutex. May sleep.
 * @returns 0 or what unmerge_ksm_pages said
 */
export function unmerge_and_remove_all_rmap_items(): number {
  let error = 0;
  spin_lock(ksm_mmlist_lock);
  let slot = next_slot(ksm_mm_head);
  set(ksm, KSM.scan_mm_slot, slot);
  trace_scan_cursor(get(slot, ksm_mm_slot.mm));
  spin_unlock(ksm_mmlist_lock);

  while (slot !== ksm_mm_head) {
    const mm = get(slot, ksm_mm_slot.mm);
    const waits = get(current(), task_struct.contended);
    const destroyed = mm_tree_destroyed(mm);
    mmap_read_lock(mm);
    bug_on_wrong_lock(mm);
    announce_visit(mm, destroyed, get(current(), task_struct.contended) !== waits);
    error = unmerge_vmas(mm, slot);
    if (error !== 0) {
      mmap_read_unlock(mm);
      spin_lock(ksm_mmlist_lock);
      set(ksm, KSM.scan_mm_slot, ksm_mm_head);
      trace_scan_cursor(NULL);
      spin_unlock(ksm_mmlist_lock);
      trace_ksm_unmerge_done(error);
      return error;
    }
    remove_trailing_rmap_items(addressOf(slot, ksm_mm_slot.rmap_list));
    mmap_read_unlock(mm);

    spin_lock(ksm_mmlist_lock);
    const next = next_slot(slot);
    set(ksm, KSM.scan_mm_slot, next);
    trace_scan_cursor(get(next, ksm_mm_slot.mm));
    if (ksm_test_exit(mm)) {
      mm_slot_unlink(slot, mm);
      spin_unlock(ksm_mmlist_lock);
      ksm_forget(slot, mm);
    } else spin_unlock(ksm_mmlist_lock);
    slot = next;
  }
  remove_all_stable_nodes();
  set(ksm, KSM.scan_seqnr, 0);
  trace_full_scans(0);
  trace_ksm_unmerge_done(0);
  return 0;
}
