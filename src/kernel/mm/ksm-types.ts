/**
 * KSM's structs and its few globals (mm/ksm.c, Linux 6.1), grouped by what protects them. @notrace
 */
import { addressOf, containerOf, get, set } from '../../machine/door.ts';
import { embed, type Field, type Ptr, pointer, struct, ulong, word, words } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { hlist_head, hlist_node, INIT_LIST_HEAD, list_head } from '../include/list.ts';
import { rb_node, rb_root } from '../lib/rbtree.ts';
import { DEFINE_MUTEX } from '../locking/mutex.ts';
import { DEFINE_SPINLOCK } from '../locking/spinlock.ts';
import { DECLARE_WAIT_QUEUE_HEAD } from '../sched/wait-queue.ts';
import { OBJ_KSM_MMLIST_LOCK, OBJ_KSM_THREAD_MUTEX } from '../trace/vocabulary.ts';

/** Values of the `run` file. */
export const KSM_RUN_STOP = 0;
export const KSM_RUN_MERGE = 1;
export const KSM_RUN_UNMERGE = 2;

/** A place that points to a rmap_item: the head in a slot, or the link in the item before. */
export const rmap_link = struct('rmap_link', { item: pointer('ksm_rmap_item') });

// Low bits of rmap_item->address.
/** The scan in which the item came into the unstable tree: low bits of seqnr. */
export const SEQNR_MASK = 0xff;
/** In the unstable tree, or in the one of the scan before. */
export const UNSTABLE_FLAG = 0x100;
/** On the list of a stable node. */
export const STABLE_FLAG = 0x200;

/** One per scanned page of a mergeable area, in address order. Protected by ksm_thread_mutex and, while the mm lives, mmap_lock. */
export const ksm_rmap_item = struct('ksm_rmap_item', {
  rmap_list: embed(rmap_link),
  mm: pointer('mm_struct'),
  /** Page address; flags in the low bits. */
  address: ulong,
  /** Checksum at the last scan. */
  oldchecksum: word,
  // While UNSTABLE_FLAG is set.
  node: embed(rb_node),
  // While STABLE_FLAG is set.
  /** The stable node. */
  head: pointer('ksm_stable_node'),
  hlist: embed(hlist_node),
  /** Holds a reference on it. */
  anon_vma: pointer('anon_vma'),
});

/** What a stable node is: by itself in the tree, the head of a chain in the tree, or one of a chain. */
export const STABLE_NODE_SINGLE = 0;
export const STABLE_NODE_CHAIN = 1;
export const STABLE_NODE_DUP = 2;

/**
 * One per KSM page. It holds no reference on the page: when the page is gone, the node is stale. Protected by ksm_thread_mutex; the list
 * of items also by the lock of the page.
 */
export const ksm_stable_node = struct('ksm_stable_node', {
  /** In the stable tree, unless a dup. */
  node: embed(rb_node),
  /** STABLE_NODE_* (Linux: by `head` and a negative length). */
  kind: word,
  /** On the list of its chain, if a dup. */
  hlist_dup: embed(hlist_node),
  /** Its rmap_items; of a chain: its dups. */
  hlist: embed(hlist_head),
  rmap_hlist_len: word,
  /** The page (Linux: its frame number). */
  kpfn: pointer('page'),
  /** Of a chain: when its stale dups were last removed, in ms. */
  chain_prune_time: ulong,
});

/** What KSM knows of a mergeable mm. hash_next, mm_list: ksm_mmlist_lock. rmap_list: ksm_thread_mutex. */
export const ksm_mm_slot = struct('ksm_mm_slot', {
  hash_next: pointer('ksm_mm_slot'),
  mm_list: embed(list_head),
  mm: pointer('mm_struct'),
  rmap_list: embed(rmap_link),
});

const MM_SLOTS_HASH_BITS = 10;

const ksm_globals = struct(
  'ksm_globals',
  {
    // The one cursor. Written under ksm_thread_mutex; mm_slot under ksm_mmlist_lock as well.
    /** The slot that is being looked at; ksm_mm_head: none. */
    scan_mm_slot: pointer('ksm_mm_slot'),
    /** Where the next rmap_item is expected. */
    scan_rmap_list: pointer('rmap_link'),
    scan_address: ulong,
    /** Full scans so far. */
    scan_seqnr: word,
    /** The page that scan_get_next_rmap_item hands back with the item, referenced. Linux returns it by reference. */
    scan_page: pointer('page'),
    /** The page that unstable_tree_search_insert hands back with its answer, referenced. */
    scan_tree_page: pointer('page'),
    /** By content, of write-protected pages. Protected by ksm_thread_mutex, as the rest of this group. */
    root_stable_tree: embed(rb_root),
    /** By content, of pages that may change. */
    root_unstable_tree: embed(rb_root),
    /** Stable nodes with items. */
    ksm_pages_shared: word,
    /** Items on stable nodes beyond the first of each. */
    ksm_pages_sharing: word,
    /** Items in the unstable tree. */
    ksm_pages_unshared: word,
    ksm_rmap_items: word,
    ksm_stable_node_chains: word,
    ksm_stable_node_dups: word,
    // Written under ksm_thread_mutex, read racily.
    run: word,
    // Settings of the control files.
    pages_to_scan: word,
    sleep_millisecs: word,
    max_page_sharing: word,
    stable_node_chains_prune_millisecs: word,
    use_zero_pages: word,
    merge_across_nodes: word,
    /** Which form of the unmerge loop runs (KSM_VARIANT_*, ksm-variants.ts): ours. */
    variant: word,
    /** The list head, as a slot without an mm: also the cursor's "end". */
    head: embed(ksm_mm_slot),
    /** Protected by ksm_mmlist_lock. */
    mm_slots_hash: words(1 << MM_SLOTS_HASH_BITS),
  },
  64,
);

const globals = staticStorage('ksm', ksm_globals.SIZE);

/** The globals: `ksm_scan.mm_slot` is `get(ksm, KSM.scan_mm_slot)`. */
export const ksm = globals.address as Ptr<'ksm_globals'>;
export const KSM = ksm_globals;
export const root_stable_tree: Ptr<'rb_root'> = addressOf(ksm, ksm_globals.root_stable_tree);
export const root_unstable_tree: Ptr<'rb_root'> = addressOf(ksm, ksm_globals.root_unstable_tree);
export const ksm_mm_head: Ptr<'ksm_mm_slot'> = addressOf(ksm, ksm_globals.head);
/** List of slots, their hash, the cursor's slot. */
export const ksm_mmlist_lock: Ptr<'spinlock_t'> = DEFINE_SPINLOCK('ksm_mmlist_lock', OBJ_KSM_MMLIST_LOCK);
/** One scan or one unmerge pass at a time. */
export const ksm_thread_mutex: Ptr<'mutex'> = DEFINE_MUTEX('ksm_thread_mutex', OBJ_KSM_THREAD_MUTEX);
/** ksmd sleeps here until there is work. */
export const ksm_thread_wait: Ptr<'wait_queue_head'> = DECLARE_WAIT_QUEUE_HEAD('ksm_thread_wait');
/** ksmd sleeps here between two batches. */
export const ksm_iter_wait: Ptr<'wait_queue_head'> = DECLARE_WAIT_QUEUE_HEAD('ksm_iter_wait');

if (globals.fresh) {
  INIT_LIST_HEAD(addressOf(ksm_mm_head, ksm_mm_slot.mm_list));
  set(ksm, ksm_globals.scan_mm_slot, ksm_mm_head);
  set(ksm, ksm_globals.pages_to_scan, 100);
  set(ksm, ksm_globals.sleep_millisecs, 20);
  set(ksm, ksm_globals.max_page_sharing, 256);
  set(ksm, ksm_globals.stable_node_chains_prune_millisecs, 2000);
  set(ksm, ksm_globals.merge_across_nodes, 1);
}

/** The slot behind `slot` on the list, ksm_mm_head at its end. Must hold ksm_mmlist_lock. */
export function next_slot(slot: Ptr<'ksm_mm_slot'>): Ptr<'ksm_mm_slot'> {
  return containerOf(get(addressOf(slot, ksm_mm_slot.mm_list), list_head.next), ksm_mm_slot.mm_list);
}

type HashField = Field<'ksm_globals', { readonly to: 'ksm_mm_slot' }>;

function bucket(mm: Ptr<'mm_struct'>): HashField {
  const hash = Math.imul(mm >>> 6, 0x61c88647) >>> (32 - MM_SLOTS_HASH_BITS);
  return ((ksm_globals.mm_slots_hash as number) + hash * 4) as HashField;
}

/** The mm's slot, or NULL. Must hold ksm_mmlist_lock. */
export function mm_slot_lookup(mm: Ptr<'mm_struct'>): Ptr<'ksm_mm_slot'> {
  let slot = get(ksm, bucket(mm));
  while (slot !== 0 && get(slot, ksm_mm_slot.mm) !== mm) slot = get(slot, ksm_mm_slot.hash_next);
  return slot;
}

/** Makes `slot` the slot of `mm`. Must hold ksm_mmlist_lock. */
export function mm_slot_insert(mm: Ptr<'mm_struct'>, slot: Ptr<'ksm_mm_slot'>): void {
  set(slot, ksm_mm_slot.mm, mm);
  set(slot, ksm_mm_slot.hash_next, get(ksm, bucket(mm)));
  set(ksm, bucket(mm), slot);
}

/** Takes a slot out of the hash. Must hold ksm_mmlist_lock. */
export function mm_slot_remove(slot: Ptr<'ksm_mm_slot'>): void {
  const at = bucket(get(slot, ksm_mm_slot.mm));
  const next = get(slot, ksm_mm_slot.hash_next);
  let other = get(ksm, at);
  if (other === slot) {
    set(ksm, at, next);
    return;
  }
  while (get(other, ksm_mm_slot.hash_next) !== slot) other = get(other, ksm_mm_slot.hash_next);
  set(other, ksm_mm_slot.hash_next, next);
}
