/**
 * References on address spaces (include/linux/sched/mm.h, Linux 6.1), inlined as there.
 *
 * `mm_users` counts users of the address space; all of them together hold one of `mm_count`, which counts
 * references on the struct. @notrace
 */
import { atomic_dec_return, atomic_inc_not_zero, atomic_inc_return, atomic_read } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { trace_ksm_test_exit, trace_mm_count_inc, trace_mm_users_dec, trace_mm_users_inc } from '../trace/trace-mm.ts';
import { mm_struct } from './mm_types.ts';

/** Keeps the struct from being freed. */
export function mmgrab(mm: Ptr<'mm_struct'>): void {
  trace_mm_count_inc(mm, atomic_inc_return(mm, mm_struct.mm_count));
}

/** Keeps the address space from being torn down; the caller is a user already. */
export function mmget(mm: Ptr<'mm_struct'>): void {
  trace_mm_users_inc(mm, atomic_inc_return(mm, mm_struct.mm_users));
}

/** Becomes a user unless there are none left; tells whether it did. */
export function mmget_not_zero(mm: Ptr<'mm_struct'>): boolean {
  const users = atomic_inc_not_zero(mm, mm_struct.mm_users);
  if (users !== 0) trace_mm_users_inc(mm, users);
  return users !== 0;
}

/** One user less; true when it was the last. */
export function mm_users_dec_and_test(mm: Ptr<'mm_struct'>): boolean {
  const users = atomic_dec_return(mm, mm_struct.mm_users);
  trace_mm_users_dec(mm, users);
  return users === 0;
}

/** Has the last user gone? No lock needed; pairs with the decrement in mmput. */
export function ksm_test_exit(mm: Ptr<'mm_struct'>): boolean {
  const users = atomic_read(mm, mm_struct.mm_users);
  trace_ksm_test_exit(mm, users);
  return users === 0;
}
