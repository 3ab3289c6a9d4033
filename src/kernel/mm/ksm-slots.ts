/** Slots come and go (mm/ksm.c, Linux 6.1). @notrace: inlined into what calls them, as there. */
import { addressOf, clear_bit } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { mmdrop } from '../fork.ts';
import { list_del } from '../include/list.ts';
import { MMF_VM_MERGEABLE, mm_struct } from '../include/mm_types.ts';
import {
  trace_mm_list_del,
  trace_mm_list_state,
  trace_mm_slot_alloc,
  trace_mm_slot_free,
  trace_mm_slot_hash_del,
} from '../trace/trace-ksm.ts';
import { trace_mm_flag_clear } from '../trace/trace-mm.ts';
import { OBJ_MMF_VM_MERGEABLE } from '../trace/vocabulary.ts';
import { ksm_mm_slot, mm_slot_remove } from './ksm-types.ts';
import { KMEM_CACHE, kmem_cache_free, kmem_cache_zalloc } from './slab.ts';

const mm_slot_cache = KMEM_CACHE(ksm_mm_slot);

/** A zeroed slot for `mm`. */
export function mm_slot_alloc(mm: Ptr<'mm_struct'>): Ptr<'ksm_mm_slot'> {
  const slot = kmem_cache_zalloc(mm_slot_cache);
  trace_mm_slot_alloc(mm);
  return slot;
}

/** Frees a slot that nobody can find any more. */
export function mm_slot_free(slot: Ptr<'ksm_mm_slot'>, mm: Ptr<'mm_struct'>): void {
  trace_mm_slot_free(mm);
  kmem_cache_free(mm_slot_cache, slot);
}

/** Takes the slot of `mm` out of hash and list. Must hold ksm_mmlist_lock. */
export function mm_slot_unlink(slot: Ptr<'ksm_mm_slot'>, mm: Ptr<'mm_struct'>): void {
  mm_slot_remove(slot);
  trace_mm_slot_hash_del(mm);
  list_del(addressOf(slot, ksm_mm_slot.mm_list));
  trace_mm_list_del(mm);
  trace_mm_list_state();
}

/** KSM forgets the mm: its flag goes. The slot's reference on it is still to be dropped. */
export function ksm_clear_mergeable(mm: Ptr<'mm_struct'>): void {
  clear_bit(MMF_VM_MERGEABLE, mm, mm_struct.flags);
  trace_mm_flag_clear(mm, OBJ_MMF_VM_MERGEABLE);
}

/** Frees an unlinked slot, clears the flag, drops the slot's reference on the mm: the mm may be gone after it. */
export function ksm_forget(slot: Ptr<'ksm_mm_slot'>, mm: Ptr<'mm_struct'>): void {
  mm_slot_free(slot, mm);
  ksm_clear_mergeable(mm);
  mmdrop(mm);
}
