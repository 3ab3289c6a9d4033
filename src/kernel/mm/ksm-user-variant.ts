/**
 * A variant of the user's own: a module that exports `unmerge_vmas(kernel, mm, slot)`; see docs/variants.md. It is loaded
 * once per thread (boot option variantModule). As it may import kernel modules itself, loading begins when this one is
 * evaluated but is not waited for here: who starts a thread does that. @notrace @entrances
 */
import { bootOptions } from '../../machine/boot.ts';
import { addressOf, get, getUlong } from '../../machine/door.ts';
import { EmulatorBug, RunStopped, VariantError } from '../../machine/errors.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { mm_struct, ULONG_MAX, VM_MERGEABLE, vm_area_struct } from '../include/mm_types.ts';
import { ksm_test_exit } from '../include/sched-mm.ts';
import { mas_find } from '../lib/maple-tree/iterate.ts';
import type { ma_state } from '../lib/maple-tree/state.ts';
import { MA_STATE } from '../lib/maple-tree/state.ts';
import { unmerge_ksm_pages } from './ksm-break.ts';

type Mm = Ptr<'mm_struct'>;
type Vma = Ptr<'vm_area_struct'>;

/** Has the mm no user any more? */
function test_exit(mm: Mm): boolean {
  return ksm_test_exit(mm);
}

/** An iterator over the areas of `mm`, before the first one. Takes no lock. */
function vma_iter_init(mm: Mm): ma_state {
  return MA_STATE(addressOf(mm, mm_struct.mm_mt), 0, 0);
}

/** The next area, 0 after the last. Must hold mmap_lock. */
function vma_next(vmi: ma_state): Vma {
  return mas_find(vmi, ULONG_MAX) as Vma;
}

/** Is the area mergeable, with pages? */
function vma_is_mergeable(vma: Vma): boolean {
  return (get(vma, vm_area_struct.vm_flags) & VM_MERGEABLE) !== 0 && get(vma, vm_area_struct.anon_vma) !== NULL;
}

/** Breaks all shared pages of the area. Must hold mmap_lock. Returns 0 or a negative errno. */
function unmerge_vma_pages(vma: Vma): number {
  return unmerge_ksm_pages(vma, getUlong(vma, vm_area_struct.vm_start), getUlong(vma, vm_area_struct.vm_end));
}

/** What a user's variant may call. */
export const variantKernel = { ksm_test_exit: test_exit, vma_iter_init, vma_next, vma_is_mergeable, unmerge_vma_pages };
export type VariantKernel = typeof variantKernel;
/** The function that a variant module exports. Returns 0 or a negative errno. */
export type UnmergeVmas = (kernel: VariantKernel, mm: Mm, slot: Ptr<'ksm_mm_slot'>) => number;

async function load(url: string): Promise<UnmergeVmas> {
  let module: { unmerge_vmas?: unknown };
  try {
    module = (await import(url)) as { unmerge_vmas?: unknown };
  } catch (error) {
    throw new VariantError(`the variant module ${url} does not load: ${(error as Error).message}`);
  }
  if (typeof module.unmerge_vmas !== 'function') throw new VariantError(`the variant module ${url} exports no function unmerge_vmas`);
  return module.unmerge_vmas as UnmergeVmas;
}

const { variantModule } = bootOptions();
let unmergeByUser: UnmergeVmas | undefined;
const loading = variantModule === undefined ? Promise.resolve(undefined) : load(variantModule);
// Told to whoever waits for it, not as an error of nobody.
loading.catch(() => {});

/** To be awaited before the first trial or schedule. @throws VariantError when the user's module is of no use */
export async function variantLoaded(): Promise<void> {
  unmergeByUser = await loading;
}

/** Runs the user's variant. Must hold mmap_lock for read. */
export function unmerge_vmas_user(mm: Mm, slot: Ptr<'ksm_mm_slot'>): number {
  if (unmergeByUser === undefined) throw new VariantError('the variant "user" needs a module: --variant ./mine.mjs');
  let result: number;
  try {
    result = unmergeByUser(variantKernel, mm, slot);
  } catch (error) {
    if (error instanceof RunStopped || error instanceof EmulatorBug) throw error;
    throw new VariantError(`unmerge_vmas of the variant module ${variantModule} threw: ${(error as Error).message}`);
  }
  if (!Number.isInteger(result) || result > 0)
    throw new VariantError(`unmerge_vmas of the variant module ${variantModule} returned ${result}, not 0 or a negative errno`);
  return result;
}
