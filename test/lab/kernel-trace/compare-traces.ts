/**
 * Compares an emulated trace with one recorded on a real kernel, task by task and in order: function, event, object, mm, id (renumbered by
 * first appearance) and value of every step of the core sequence.
 */

export interface Step {
  t: number;
  task: string;
  fn: string;
  ev: string;
  obj?: string;
  mm?: string;
  id?: string;
  val?: unknown;
  logical?: unknown;
  lvl?: number;
  ma_flags?: unknown;
  lock?: string;
}

/** Not steps of the kernel, or seen by the recorder only. */
const NEVER = new Set(['mark', 'call', 'list_state', 'wake', 'checksum', 'enter', 'leave', 'meta', 'test_flag', 'hash_lookup']);
/** What an emulation may leave out: coredump's look at the mm, page-cache and TLB work, the walk of page tables. */
const DROPPED_FUNCTIONS = new Set(['exit_mm', 'exc_page_fault', 'lock_mm_and_find_vma', 'do_user_addr_fault']);
/** What only merging does. */
const MERGE_FUNCTIONS = new Set(
  `cmp_and_merge_page get_mergeable_page try_to_merge_with_ksm_page try_to_merge_one_page try_to_merge_two_pages unstable_tree_search_insert
  stable_tree_search stable_tree_insert stable_tree_append get_ksm_page remove_node_from_stable_tree remove_rmap_item_from_tree
  write_protect_page replace_page break_ksm break_cow do_wp_page wp_page_copy remove_all_stable_nodes`.split(/\s+/),
);
const LIFETIME_OBJECTS = new Set(
  `mmap_lock ksm_mmlist_lock ksm_thread_mutex mm_users mm_count mm_slot mm_slots_hash ksm_mm_list scan_cursor MMF_VM_MERGEABLE MMF_OOM_SKIP
  VM_MERGEABLE ksm_run full_scans mm_mt mm_mt.ma_root mm maple_nodes rmap_item ksm_rmap_items`
    .split(/\s+/)
    .concat('suspicious RCU usage'),
);

/** The steps of each task as comparable lines. @param world  `lifetime`: without merging; `all` */
export function stepsByTask(events: readonly Step[], world: 'lifetime' | 'all'): Map<string, string[]> {
  const tasks = new Map<string, string[]>();
  const ids = new Map<string, string>();
  for (const e of events) {
    if (NEVER.has(e.ev) || (e.lvl ?? 1) !== 1 || DROPPED_FUNCTIONS.has(e.fn)) continue;
    if (e.ev === 'root_deref' && e.ma_flags !== '0x0' && !(e.lock ?? '').startsWith('no external')) continue;
    if (e.obj === 'MT_FLAGS_USE_RCU') continue;
    const lifetime = LIFETIME_OBJECTS.has(e.obj ?? '') || e.ev === 'report' || e.ev === 'root_deref';
    if (world === 'lifetime' && (MERGE_FUNCTIONS.has(e.fn) || !lifetime)) continue;
    let id = '';
    if (e.id !== undefined && e.obj !== 'mm_slot') {
      if (!ids.has(e.id)) ids.set(e.id, `${e.id.replace(/\d+/g, '')}${ids.size + 1}`);
      id = `[${ids.get(e.id)}]`;
    }
    // Who drops the last reference depends on the scheduler, so the free of an mm is compared apart from the task.
    const anyone = e.ev === 'free' && e.obj === 'mm';
    const silent = e.ev === 'report' || e.ev === 'root_deref' || e.ev === 'tree_destroyed';
    const value = silent ? undefined : e.obj === 'mm_count' ? (e.logical ?? e.val) : e.val;
    const line = `${anyone ? '' : e.fn}: ${e.ev} ${e.obj ?? ''}${e.mm ? `(${e.mm})` : ''}${id}${value === undefined ? '' : ` = ${value}`}`;
    const task = anyone ? '(any)' : e.task;
    tasks.set(task, [...(tasks.get(task) ?? []), line]);
  }
  return tasks;
}
