/**
 * The words of traces: event and object numbers of the tracepoints, and their names.
 *
 * The names are those of recorded kernel traces (docs/fidelity.md), so that an emulated trace can be compared with a
 * real one line by line. Numbers are ours and may change.
 */

/** Events. 1 and 2 are the machine's `enter` and `leave`. */
export const EVENT_NAMES = [
  '',
  'enter',
  'leave',
  '',
  '',
  '',
  '',
  '',
  'lock',
  'unlock',
  'rlock',
  'runlock',
  'inc',
  'dec',
  'init',
  'alloc',
  'free',
  'list_add',
  'list_move',
  'list_del',
  'hash_add',
  'hash_del',
  'hash_lookup',
  'set_flag',
  'clear_flag',
  'test_flag',
  'test_exit',
  'set',
  'tree_insert',
  'tree_erase',
  'tree_reset',
  'checksum',
  'root_deref',
  'tree_destroyed',
  'report',
  'call',
  'wake',
  'list_state',
  'ksm_exit',
  'visit',
  'exited',
  'pass',
  'report_logged',
] as const;

export const EV_LOCK = 8;
export const EV_UNLOCK = 9;
export const EV_RLOCK = 10;
export const EV_RUNLOCK = 11;
export const EV_INC = 12;
export const EV_DEC = 13;
export const EV_INIT = 14;
export const EV_ALLOC = 15;
export const EV_FREE = 16;
export const EV_LIST_ADD = 17;
export const EV_LIST_MOVE = 18;
export const EV_LIST_DEL = 19;
export const EV_HASH_ADD = 20;
export const EV_HASH_DEL = 21;
export const EV_HASH_LOOKUP = 22;
export const EV_SET_FLAG = 23;
export const EV_CLEAR_FLAG = 24;
export const EV_TEST_FLAG = 25;
export const EV_TEST_EXIT = 26;
export const EV_SET = 27;
export const EV_TREE_INSERT = 28;
export const EV_TREE_ERASE = 29;
export const EV_TREE_RESET = 30;
export const EV_CHECKSUM = 31;
export const EV_ROOT_DEREF = 32;
export const EV_TREE_DESTROYED = 33;
export const EV_REPORT = 34;
export const EV_CALL = 35;
export const EV_WAKE = 36;
export const EV_LIST_STATE = 37;
/** Ours: what `__ksm_exit` did (value EXIT_*), address = mm. */
export const EV_KSM_EXIT = 38;
/** Ours: the unmerge pass is right after `mmap_read_lock` (value VISIT_* bits), address = mm. */
export const EV_VISIT = 39;
/** Ours: `__mmput` is through, address = mm. */
export const EV_EXITED = 40;
/** Ours: an unmerge pass is through, value = its error. */
export const EV_PASS = 41;
/** Ours: the text of a new distinct report is in the log, value = its number there (printk.ts). */
export const EV_REPORT_LOGGED = 42;

/** Objects. 0: none. Locks carry their own name (see lockdep_map), so most have no number here. */
export const OBJECT_NAMES = [
  '',
  'mmap_lock',
  'ksm_mmlist_lock',
  'ksm_thread_mutex',
  'mm_users',
  'mm_count',
  'mm_slot',
  'mm_slots_hash',
  'ksm_mm_list',
  'scan_cursor',
  'MMF_VM_MERGEABLE',
  'MMF_OOM_SKIP',
  'VM_MERGEABLE',
  'ksm_run',
  'full_scans',
  'mm_mt',
  'mm_mt.ma_root',
  'mm',
  'maple_nodes',
  'rmap_item',
  'ksm_rmap_items',
  'suspicious RCU usage',
  'unstable_tree',
  'ksm_thread_wait',
  'lru_add_drain_all',
  'tlb_finish_mmu',
  'ksm_fork',
  'MT_FLAGS_USE_RCU',
  'ptl',
  'anon_vma',
  'lock',
  'page_lock',
  'page.stable_node',
  'anon_vma_ref',
  'stable_node',
  'stable_tree',
  'stable_node.hlist',
  'ksm_pages_shared',
  'ksm_pages_sharing',
  'ksm_pages_unshared',
  'ksm_merging_pages',
  'rmap_item.UNSTABLE',
  'rmap_item.STABLE',
  'page',
  'oom_victim',
] as const;

export const OBJ_NONE = 0;
export const OBJ_MMAP_LOCK = 1;
export const OBJ_KSM_MMLIST_LOCK = 2;
export const OBJ_KSM_THREAD_MUTEX = 3;
export const OBJ_MM_USERS = 4;
export const OBJ_MM_COUNT = 5;
export const OBJ_MM_SLOT = 6;
export const OBJ_MM_SLOTS_HASH = 7;
export const OBJ_KSM_MM_LIST = 8;
export const OBJ_SCAN_CURSOR = 9;
export const OBJ_MMF_VM_MERGEABLE = 10;
export const OBJ_MMF_OOM_SKIP = 11;
export const OBJ_VM_MERGEABLE = 12;
export const OBJ_KSM_RUN = 13;
export const OBJ_FULL_SCANS = 14;
export const OBJ_MM_MT = 15;
export const OBJ_MA_ROOT = 16;
export const OBJ_MM = 17;
export const OBJ_MAPLE_NODES = 18;
export const OBJ_RMAP_ITEM = 19;
export const OBJ_KSM_RMAP_ITEMS = 20;
export const OBJ_SUSPICIOUS_RCU = 21;
export const OBJ_UNSTABLE_TREE = 22;
export const OBJ_KSM_THREAD_WAIT = 23;
export const OBJ_LRU_ADD_DRAIN_ALL = 24;
export const OBJ_TLB_FINISH_MMU = 25;
export const OBJ_KSM_FORK = 26;
export const OBJ_MT_FLAGS_USE_RCU = 27;
export const OBJ_PTL = 28;
export const OBJ_ANON_VMA = 29;
/** Any lock that has no number of its own; its name is in the lockdep_map. */
export const OBJ_LOCK = 30;
export const OBJ_PAGE_LOCK = 31;
export const OBJ_PAGE_STABLE_NODE = 32;
export const OBJ_ANON_VMA_REF = 33;
export const OBJ_STABLE_NODE = 34;
export const OBJ_STABLE_TREE = 35;
export const OBJ_STABLE_NODE_HLIST = 36;
export const OBJ_KSM_PAGES_SHARED = 37;
export const OBJ_KSM_PAGES_SHARING = 38;
export const OBJ_KSM_PAGES_UNSHARED = 39;
export const OBJ_KSM_MERGING_PAGES = 40;
export const OBJ_RMAP_ITEM_UNSTABLE = 41;
export const OBJ_RMAP_ITEM_STABLE = 42;
export const OBJ_PAGE = 43;
export const OBJ_OOM_VICTIM = 44;
