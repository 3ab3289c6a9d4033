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
/** The steps of each task as comparable lines. */
export function stepsByTask(events: readonly Step[]): Map<string, string[]> {
  const tasks = new Map<string, string[]>();
  const ids = new Map<string, string>();
  for (const e of events) {
    if (NEVER.has(e.ev) || (e.lvl ?? 1) !== 1 || DROPPED_FUNCTIONS.has(e.fn)) continue;
    if (e.ev === 'root_deref' && e.ma_flags !== '0x0' && !(e.lock ?? '').startsWith('no external')) continue;
    if (e.obj === 'MT_FLAGS_USE_RCU') continue;
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
