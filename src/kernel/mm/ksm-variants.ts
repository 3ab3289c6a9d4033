/**
 * The variants of the unmerge pass's loop over the areas of an mm: the patch under study, and what it is compared with.
 *
 * | variant | before the loop, right after mmap_read_lock | in the loop, for each area |
 * |---|---|---|
 * | linked-list (before v6.1) | nothing; the areas are a linked list, nothing for the validator to check | stop on ksm_test_exit |
 * | unfixed (v6.1 - v6.2) | nothing | stop on ksm_test_exit |
 * | fixed (the patch) | skip the loop on ksm_test_exit | nothing |
 * | both (asked about in the mail thread) | as fixed | as unfixed |
 * | user | a module of the user's own, see docs/variants.md | |
 *
 * A word in shared memory selects the variant, so that one process can run several in turn. @notrace: Linux has this loop
 * inside unmerge_and_remove_all_rmap_items, and so it counts as that.
 */
import { addressOf, get, getUlong, set } from '../../machine/door.ts';
import { EmulatorBug } from '../../machine/errors.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { mm_struct, ULONG_MAX, VM_MERGEABLE, vm_area_struct } from '../include/mm_types.ts';
import { ksm_test_exit } from '../include/sched-mm.ts';
import { mas_find } from '../lib/maple-tree/iterate.ts';
import { MA_STATE } from '../lib/maple-tree/state.ts';
import { unmerge_ksm_pages } from './ksm-break.ts';
import { KSM, ksm } from './ksm-types.ts';
import { unmerge_vmas_user } from './ksm-user-variant.ts';

type Mm = Ptr<'mm_struct'>;
type Vma = Ptr<'vm_area_struct'>;

/** The variants by number; `ksm_variant` holds one of them. */
export const KSM_VARIANTS = ['unfixed', 'fixed', 'both', 'linked-list', 'user'] as const;
export type KsmVariant = (typeof KSM_VARIANTS)[number];
const UNFIXED = 0;
const FIXED = 1;
const LINKED_LIST = 3;

/** Selects the variant for all tasks. Change it only while no pass runs. */
export function set_ksm_variant(variant: KsmVariant): void {
  const number = KSM_VARIANTS.indexOf(variant);
  if (number < 0) throw new EmulatorBug(`no such variant: ${variant}`);
  set(ksm, KSM.variant, number);
}

/** One area: breaks its pages apart if it is mergeable and has any. */
export function unmerge_vma(vma: Vma): number {
  if ((get(vma, vm_area_struct.vm_flags) & VM_MERGEABLE) === 0 || get(vma, vm_area_struct.anon_vma) === NULL) return 0;
  return unmerge_ksm_pages(vma, getUlong(vma, vm_area_struct.vm_start), getUlong(vma, vm_area_struct.vm_end));
}

function unmergeChecked(mm: Mm): number {
  const vmi = MA_STATE(addressOf(mm, mm_struct.mm_mt), 0, 0);
  for (let vma = mas_find(vmi, ULONG_MAX); vma !== 0; vma = mas_find(vmi, ULONG_MAX)) {
    if (ksm_test_exit(mm)) break;
    const error = unmerge_vma(vma as Vma);
    if (error !== 0) return error;
  }
  return 0;
}

function unmergeUnchecked(mm: Mm): number {
  const vmi = MA_STATE(addressOf(mm, mm_struct.mm_mt), 0, 0);
  for (let vma = mas_find(vmi, ULONG_MAX); vma !== 0; vma = mas_find(vmi, ULONG_MAX)) {
    const error = unmerge_vma(vma as Vma);
    if (error !== 0) return error;
  }
  return 0;
}

function unmergeLinkedList(mm: Mm): number {
  for (let vma = get(mm, mm_struct.mmap); vma !== NULL; vma = get(vma, vm_area_struct.vm_next)) {
    if (ksm_test_exit(mm)) break;
    const error = unmerge_vma(vma);
    if (error !== 0) return error;
  }
  return 0;
}

/** Step 2c of the pass, in the variant that is selected. Must hold mmap_lock for read. Returns 0 or a negative errno. */
export function unmerge_vmas(mm: Mm, slot: Ptr<'ksm_mm_slot'>): number {
  const variant = get(ksm, KSM.variant);
  if (variant === LINKED_LIST) return unmergeLinkedList(mm);
  if (variant > LINKED_LIST) return unmerge_vmas_user(mm, slot);
  if (variant !== UNFIXED && ksm_test_exit(mm)) return 0;
  // One call for two variants: the optimiser makes one machine code of their loop, so that they differ in nothing else.
  return variant === FIXED ? unmergeUnchecked(mm) : unmergeChecked(mm);
}
