/** Tracepoints of address spaces: counts, flags, teardown. The address is the mm's. @notrace */
import { announce, announceSync } from '../../machine/announce.ts';
import type { Ptr } from '../../machine/layout.ts';
import { noteReference, openLedger, REF_CHECK } from '../ref-ledger.ts';
import {
  EV_ALLOC,
  EV_CALL,
  EV_CLEAR_FLAG,
  EV_DEC,
  EV_EXITED,
  EV_FREE,
  EV_INC,
  EV_INIT,
  EV_SET_FLAG,
  EV_TEST_EXIT,
  OBJ_MM,
  OBJ_MM_COUNT,
  OBJ_MM_USERS,
  OBJ_MMF_OOM_SKIP,
  OBJ_MT_FLAGS_USE_RCU,
  OBJ_TLB_FINISH_MMU,
} from './vocabulary.ts';

/** A new mm_struct. */
export function trace_mm_alloc(mm: Ptr<'mm_struct'>): void {
  announce(EV_ALLOC, OBJ_MM, mm, 0);
}
/** Its counts start at 1. */
export function trace_mm_init(mm: Ptr<'mm_struct'>): void {
  if (REF_CHECK) openLedger(mm);
  announce(EV_INIT, OBJ_MM_USERS, mm, 1);
  announce(EV_INIT, OBJ_MM_COUNT, mm, 1);
}
/** @param value  mm_users after the step */
export function trace_mm_users_inc(mm: Ptr<'mm_struct'>, value: number): void {
  if (REF_CHECK) noteReference(OBJ_MM_USERS, mm, 1, value);
  announceSync(EV_INC, OBJ_MM_USERS, mm, value, mm);
}
export function trace_mm_users_dec(mm: Ptr<'mm_struct'>, value: number): void {
  if (REF_CHECK) noteReference(OBJ_MM_USERS, mm, -1, value);
  announceSync(EV_DEC, OBJ_MM_USERS, mm, value, mm);
}
/** @param value  mm_count after the step */
export function trace_mm_count_inc(mm: Ptr<'mm_struct'>, value: number): void {
  if (REF_CHECK) noteReference(OBJ_MM_COUNT, mm, 1, value);
  announceSync(EV_INC, OBJ_MM_COUNT, mm, value, mm);
}
export function trace_mm_count_dec(mm: Ptr<'mm_struct'>, value: number): void {
  if (REF_CHECK) noteReference(OBJ_MM_COUNT, mm, -1, value);
  announceSync(EV_DEC, OBJ_MM_COUNT, mm, value, mm);
}
/** `ksm_test_exit` looked at mm_users. */
export function trace_ksm_test_exit(mm: Ptr<'mm_struct'>, users: number): void {
  announceSync(EV_TEST_EXIT, OBJ_MM_USERS, mm, users, mm);
}
/** A bit of mm->flags was set. @param object  OBJ_MMF_* */
export function trace_mm_flag_set(mm: Ptr<'mm_struct'>, object: number): void {
  announce(EV_SET_FLAG, object, mm, 0);
}
export function trace_mm_flag_clear(mm: Ptr<'mm_struct'>, object: number): void {
  announce(EV_CLEAR_FLAG, object, mm, 0);
}
export function trace_mmf_oom_skip(mm: Ptr<'mm_struct'>): void {
  announce(EV_SET_FLAG, OBJ_MMF_OOM_SKIP, mm, 0);
}
/** @param flags  ma_flags after the step */
export function trace_mt_clear_in_rcu(mm: Ptr<'mm_struct'>, flags: number): void {
  announce(EV_CLEAR_FLAG, OBJ_MT_FLAGS_USE_RCU, mm, flags);
}
export function trace_tlb_finish_mmu(mm: Ptr<'mm_struct'>): void {
  announce(EV_CALL, OBJ_TLB_FINISH_MMU, mm, 0);
}
/** The struct is about to be freed. */
export function trace_mm_free(mm: Ptr<'mm_struct'>): void {
  announce(EV_FREE, OBJ_MM, mm, 0);
}
/** `__mmput` is through. */
export function trace_mm_exited(mm: Ptr<'mm_struct'>): void {
  announce(EV_EXITED, OBJ_MM, mm, 0);
}
