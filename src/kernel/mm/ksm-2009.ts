/**
 * How KSM and exit were before "ksm: fix oom deadlock" (Linux 2.6.31, commit 9ba692948008 is the fix): for scenario oom-2009.
 *
 * `__ksm_exit` needs `ksm_thread_mutex`, because it frees the rmap_items itself; `exit_mmap` frees pages and areas without `mmap_lock`; the
 * writer of the `run` file is not marked as the origin of a shortage. So when the pass waits for a frame, the process that it works on
 * is killed, and that process waits for the mutex of the pass.
 */
import { addressOf, get, getUlong, set, setUlong } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { mmdrop } from '../fork.ts';
import { mm_struct, vm_area_struct } from '../include/mm_types.ts';
import { mmap_write_lock, mmap_write_unlock } from '../include/mmap_lock.ts';
import { mm_users_dec_and_test } from '../include/sched-mm.ts';
import { task_lock, task_unlock } from '../include/sched-task.ts';
import { current, PF_EXITING, task_struct } from '../include/task_struct.ts';
import { __mt_destroy } from '../lib/maple-tree/destroy.ts';
import { mutex_lock, mutex_unlock } from '../locking/mutex.ts';
import { spin_lock, spin_unlock } from '../locking/spinlock.ts';
import { remove_trailing_rmap_items } from './ksm-rmap.ts';
import { ksm_forget, mm_slot_unlink } from './ksm-slots.ts';
import { KSM, KSM_RUN_UNMERGE, ksm, ksm_mm_slot, ksm_mmlist_lock, ksm_thread_mutex, mm_slot_lookup, next_slot } from './ksm-types.ts';
import { unmerge_and_remove_all_rmap_items } from './ksm-unmerge.ts';
import { zap_pte_range } from './memory-range.ts';
import { exit_oom_victim } from './oom_kill.ts';
import { free_pgd_range } from './pgtable.ts';
import { unlink_anon_vmas } from './rmap.ts';
import { vm_area_free } from './vma.ts';

type Mm = Ptr<'mm_struct'>;

/** Takes the mm out of KSM, items and all. May sleep: whoever scans or unmerges is waited for. */
function __ksm_exit_2009(mm: Mm): void {
  mutex_lock(ksm_thread_mutex);
  spin_lock(ksm_mmlist_lock);
  const slot = mm_slot_lookup(mm);
  if (slot !== NULL) {
    if (get(ksm, KSM.scan_mm_slot) === slot) {
      const next = next_slot(slot);
      set(ksm, KSM.scan_mm_slot, next);
      setUlong(ksm, KSM.scan_address, 0);
      set(ksm, KSM.scan_rmap_list, addressOf(next, ksm_mm_slot.rmap_list));
    }
    mm_slot_unlink(slot, mm);
  }
  spin_unlock(ksm_mmlist_lock);
  if (slot !== NULL) {
    remove_trailing_rmap_items(addressOf(slot, ksm_mm_slot.rmap_list));
    ksm_forget(slot, mm);
  }
  mutex_unlock(ksm_thread_mutex);
}

/** Frees pages and areas without mmap_lock. The tree did not exist then; it is destroyed as today. */
function exit_mmap_2009(mm: Mm): void {
  for (let vma = get(mm, mm_struct.mmap); vma !== NULL; vma = get(vma, vm_area_struct.vm_next)) {
    zap_pte_range(mm, getUlong(vma, vm_area_struct.vm_start), getUlong(vma, vm_area_struct.vm_end));
  }
  for (let vma = get(mm, mm_struct.mmap); vma !== NULL; ) {
    const next = get(vma, vm_area_struct.vm_next);
    unlink_anon_vmas(vma);
    vm_area_free(vma);
    vma = next;
  }
  free_pgd_range(mm);
  set(mm, mm_struct.mmap, NULL);
  mmap_write_lock(mm);
  __mt_destroy(addressOf(mm, mm_struct.mm_mt));
  mmap_write_unlock(mm);
}

/** The current task ends. May sleep. */
export function do_exit_2009(): void {
  const tsk = current();
  const mm = get(tsk, task_struct.mm);
  set(tsk, task_struct.flags, get(tsk, task_struct.flags) | PF_EXITING);
  task_lock();
  set(tsk, task_struct.mm, NULL);
  task_unlock();
  if (mm_users_dec_and_test(mm)) {
    __ksm_exit_2009(mm);
    exit_mmap_2009(mm);
    mmdrop(mm);
  }
  exit_oom_victim();
}

/** Writes 2 to the run file. May sleep. Returns 0 or a negative errno. */
export function run_store_2009(): number {
  mutex_lock(ksm_thread_mutex);
  set(ksm, KSM.run, KSM_RUN_UNMERGE);
  const error = unmerge_and_remove_all_rmap_items();
  mutex_unlock(ksm_thread_mutex);
  return error;
}
