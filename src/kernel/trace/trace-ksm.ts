/** Tracepoints of KSM. The address is the mm's unless said otherwise. @notrace */
import { announce } from '../../machine/announce.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import {
  EV_ALLOC,
  EV_CALL,
  EV_CHECKSUM,
  EV_CLEAR_FLAG,
  EV_DEC,
  EV_FREE,
  EV_HASH_ADD,
  EV_HASH_DEL,
  EV_HASH_LOOKUP,
  EV_INC,
  EV_KSM_EXIT,
  EV_LIST_ADD,
  EV_LIST_DEL,
  EV_LIST_MOVE,
  EV_LIST_STATE,
  EV_PASS,
  EV_SET,
  EV_SET_FLAG,
  EV_TEST_FLAG,
  EV_TREE_RESET,
  EV_VISIT,
  EV_WAKE,
  OBJ_FULL_SCANS,
  OBJ_KSM_FORK,
  OBJ_KSM_MM_LIST,
  OBJ_KSM_RMAP_ITEMS,
  OBJ_KSM_RUN,
  OBJ_KSM_THREAD_WAIT,
  OBJ_LRU_ADD_DRAIN_ALL,
  OBJ_MM_SLOT,
  OBJ_MM_SLOTS_HASH,
  OBJ_MMF_VM_MERGEABLE,
  OBJ_NONE,
  OBJ_RMAP_ITEM,
  OBJ_SCAN_CURSOR,
  OBJ_UNSTABLE_TREE,
  OBJ_VM_MERGEABLE,
} from './vocabulary.ts';

type Mm = Ptr<'mm_struct'>;

/** What `__ksm_exit` found and did, the value of EV_KSM_EXIT and of mm->exit_outcome. */
export const EXIT_NO_SLOT = 1;
/** No rmap_items, cursor elsewhere: the slot was freed. */
export const EXIT_EASY = 2;
/** It had rmap_items and was moved behind the cursor. */
export const EXIT_MOVED = 3;
/** The cursor was on it, and it had rmap_items. */
export const EXIT_CURSOR_ITEMS = 4;
/** The cursor was on it, and it had none: the window of the mail's diagram. */
export const EXIT_CURSOR_EMPTY = 5;

/** Bits of EV_VISIT: the tree was destroyed before `mmap_read_lock` was called / is destroyed after it returned. */
export const VISIT_DESTROYED_BEFORE = 1;
export const VISIT_DESTROYED = 2;
/** mm->exit_outcome stands above these bits. */
export const VISIT_OUTCOME_SHIFT = 4;

export function trace_mm_slot_alloc(mm: Mm): void {
  announce(EV_ALLOC, OBJ_MM_SLOT, mm, 0);
}
/** Directly before the free. */
export function trace_mm_slot_free(mm: Mm): void {
  announce(EV_FREE, OBJ_MM_SLOT, mm, 0);
}
export function trace_mm_slot_hash_add(mm: Mm): void {
  announce(EV_HASH_ADD, OBJ_MM_SLOTS_HASH, mm, 0);
}
export function trace_mm_slot_hash_del(mm: Mm): void {
  announce(EV_HASH_DEL, OBJ_MM_SLOTS_HASH, mm, 0);
}
/** @param found  1 when the mm has a slot */
export function trace_mm_slot_lookup(mm: Mm, found: number): void {
  announce(EV_HASH_LOOKUP, OBJ_MM_SLOTS_HASH, mm, found);
}
export function trace_mm_list_add(mm: Mm): void {
  announce(EV_LIST_ADD, OBJ_KSM_MM_LIST, mm, 0);
}
export function trace_mm_list_move(mm: Mm): void {
  announce(EV_LIST_MOVE, OBJ_KSM_MM_LIST, mm, 0);
}
export function trace_mm_list_del(mm: Mm): void {
  announce(EV_LIST_DEL, OBJ_KSM_MM_LIST, mm, 0);
}
/** The list or the cursor changed; whoever wants the order reads the list, under ksm_mmlist_lock here. */
export function trace_mm_list_state(): void {
  announce(EV_LIST_STATE, OBJ_KSM_MM_LIST, NULL, 0);
}
/** @param mm  the mm that the cursor is on now, NULL for the head */
export function trace_scan_cursor(mm: Mm): void {
  announce(EV_SET, OBJ_SCAN_CURSOR, mm, 0);
}
export function trace_vm_mergeable_set(mm: Mm): void {
  announce(EV_SET_FLAG, OBJ_VM_MERGEABLE, mm, 0);
}
export function trace_vm_mergeable_clear(mm: Mm): void {
  announce(EV_CLEAR_FLAG, OBJ_VM_MERGEABLE, mm, 0);
}
/** @param value  whether MMF_VM_MERGEABLE was set */
export function trace_mergeable_test(mm: Mm, value: number): void {
  announce(EV_TEST_FLAG, OBJ_MMF_VM_MERGEABLE, mm, value);
}
export function trace_ksm_run(value: number): void {
  announce(EV_SET, OBJ_KSM_RUN, NULL, value);
}
export function trace_full_scans(value: number): void {
  announce(EV_SET, OBJ_FULL_SCANS, NULL, value);
}
export function trace_wake_ksmd(): void {
  announce(EV_WAKE, OBJ_KSM_THREAD_WAIT, NULL, 0);
}
/** @param value  MMF_VM_MERGEABLE of the parent */
export function trace_ksm_fork(mm: Mm, value: number): void {
  announce(EV_CALL, OBJ_KSM_FORK, mm, value);
}
export function trace_lru_add_drain_all(): void {
  announce(EV_CALL, OBJ_LRU_ADD_DRAIN_ALL, NULL, 0);
}
export function trace_unstable_tree_reset(): void {
  announce(EV_TREE_RESET, OBJ_UNSTABLE_TREE, NULL, 0);
}
/** @param items  ksm_rmap_items of the mm after the step; the address is the rmap_item's */
export function trace_rmap_item_alloc(item: Ptr<'ksm_rmap_item'>, mm: Mm, items: number): void {
  announce(EV_ALLOC, OBJ_RMAP_ITEM, item, 0);
  announce(EV_INC, OBJ_KSM_RMAP_ITEMS, mm, items);
}
export function trace_rmap_item_free(item: Ptr<'ksm_rmap_item'>, mm: Mm, items: number): void {
  announce(EV_DEC, OBJ_KSM_RMAP_ITEMS, mm, items);
  announce(EV_FREE, OBJ_RMAP_ITEM, item, 0);
}
/** @param changed  1 when the page changed since the last scan */
export function trace_checksum(item: Ptr<'ksm_rmap_item'>, changed: number): void {
  announce(EV_CHECKSUM, OBJ_RMAP_ITEM, item, changed);
}
/** `__ksm_exit` decided, under ksm_mmlist_lock. @param outcome  EXIT_* */
export function trace_ksm_exit(mm: Mm, outcome: number): void {
  announce(EV_KSM_EXIT, OBJ_NONE, mm, outcome);
}
/** The unmerge pass holds mmap_lock. @param value  VISIT_* bits */
export function trace_ksm_unmerge_visit(mm: Mm, value: number): void {
  announce(EV_VISIT, OBJ_NONE, mm, value);
}
/** An unmerge pass ended. @param error  0 or a negative errno */
export function trace_ksm_unmerge_done(error: number): void {
  announce(EV_PASS, OBJ_NONE, NULL, error);
}
