/**
 * Address spaces begin and end (kernel/fork.c, Linux 6.1).
 *
 * Left out: the lazy reference that the scheduler may keep on an mm, so the last `mmdrop` is the one that the code shows.
 */
import { addressOf, atomic_dec_return, atomic_set, get, getUlong, set } from '../machine/door.ts';
import { EmulatorBug } from '../machine/errors.ts';
import { NULL, type Ptr } from '../machine/layout.ts';
import { MT_FLAGS_ALLOC_RANGE, MT_FLAGS_LOCK_EXTERN } from './include/maple_tree.ts';
import { mm_struct, ULONG_MAX, vm_area_struct } from './include/mm_types.ts';
import { mmap_write_lock, mmap_write_lock_nested, mmap_write_unlock, SINGLE_DEPTH_NESTING } from './include/mmap_lock.ts';
import { mm_users_dec_and_test } from './include/sched-mm.ts';
import { mt_init_flags, mt_set_external_lock } from './lib/maple-tree/init.ts';
import { mas_find } from './lib/maple-tree/iterate.ts';
import { MA_STATE } from './lib/maple-tree/state.ts';
import { staticKey } from './locking/lockdep/types.ts';
import { init_rwsem, rw_semaphore } from './locking/rwsem.ts';
import { spin_lock_init } from './locking/spinlock.ts';
import { ksm_exit, ksm_fork } from './mm/ksm.ts';
import { copy_page_range } from './mm/memory-range.ts';
import { exit_mmap } from './mm/mmap.ts';
import { anon_vma_fork } from './mm/rmap.ts';
import { KMEM_CACHE, kmem_cache_free, kmem_cache_zalloc } from './mm/slab.ts';
import { vm_area_alloc, vma_link } from './mm/vma.ts';
import { trace_mm_alloc, trace_mm_count_dec, trace_mm_exited, trace_mm_free, trace_mm_init } from './trace/trace-mm.ts';
import { OBJ_MMAP_LOCK, OBJ_PTL } from './trace/vocabulary.ts';

type Mm = Ptr<'mm_struct'>;

const mm_cachep = KMEM_CACHE(mm_struct);
const mmap_lock_key = staticKey('&mm->mmap_lock');
const page_table_lock_key = staticKey('&mm->page_table_lock');

/** Sets up a fresh mm of zeroes; a forked child too starts unknown to KSM and enters by itself. */
function mm_init(mm: Mm): Mm {
  mt_init_flags(addressOf(mm, mm_struct.mm_mt), MT_FLAGS_ALLOC_RANGE | MT_FLAGS_LOCK_EXTERN);
  init_rwsem(addressOf(mm, mm_struct.mmap_lock), '&mm->mmap_lock', mmap_lock_key, OBJ_MMAP_LOCK);
  mt_set_external_lock(addressOf(mm, mm_struct.mm_mt), addressOf(addressOf(mm, mm_struct.mmap_lock), rw_semaphore.dep_map));
  spin_lock_init(addressOf(mm, mm_struct.page_table_lock), '&mm->page_table_lock', page_table_lock_key, OBJ_PTL);
  atomic_set(mm, mm_struct.mm_users, 1);
  atomic_set(mm, mm_struct.mm_count, 1);
  trace_mm_init(mm);
  return mm;
}

/** A new, empty address space with one user. */
export function mm_alloc(): Mm {
  const mm = kmem_cache_zalloc(mm_cachep);
  trace_mm_alloc(mm);
  return mm_init(mm);
}

/** A copy of an address space for a child, with one user. May sleep. */
export function dup_mm(oldmm: Mm): Mm {
  const mm = kmem_cache_zalloc(mm_cachep);
  trace_mm_alloc(mm);
  mm_init(mm);
  dup_mmap(mm, oldmm);
  return mm;
}

/** Copies all areas; takes both mmap_locks for write, the parent's first. */
function dup_mmap(mm: Mm, oldmm: Mm): void {
  mmap_write_lock(oldmm);
  mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING);
  ksm_fork(mm, oldmm);
  const mas = MA_STATE(addressOf(oldmm, mm_struct.mm_mt), 0, 0);
  let prev: Ptr<'vm_area_struct'> = NULL;
  for (let mpnt = mas_find(mas, ULONG_MAX); mpnt !== 0; mpnt = mas_find(mas, ULONG_MAX)) {
    const old = mpnt as Ptr<'vm_area_struct'>;
    const start = getUlong(old, vm_area_struct.vm_start);
    const vma = vm_area_alloc(mm, start, getUlong(old, vm_area_struct.vm_end), get(old, vm_area_struct.vm_flags));
    set(vma, vm_area_struct.vm_file, get(old, vm_area_struct.vm_file));
    anon_vma_fork(vma, old);
    vma_link(mm, vma, prev);
    copy_page_range(vma, old);
    prev = vma;
  }
  mmap_write_unlock(mm);
  mmap_write_unlock(oldmm);
}

/** Drops a reference on the struct; the last one frees it. @inline */
export function mmdrop(mm: Mm): void {
  const count = atomic_dec_return(mm, mm_struct.mm_count);
  trace_mm_count_dec(mm, count);
  if (count === 0) __mmdrop(mm);
  else if (count < 0) throw new EmulatorBug(`mmdrop: mm_count of mm ${mm} is ${count}`);
}

function __mmdrop(mm: Mm): void {
  if (get(mm, mm_struct.mm_users) !== 0) throw new EmulatorBug(`__mmdrop: mm ${mm} still has ${get(mm, mm_struct.mm_users)} users`);
  trace_mm_free(mm);
  kmem_cache_free(mm_cachep, mm);
}

/** Leaves an address space; the last user tears it down. May sleep. */
export function mmput(mm: Mm): void {
  if (mm_users_dec_and_test(mm)) __mmput(mm);
}

/** Nobody uses it any more: out of KSM, areas and pages gone, and the reference that all users shared. */
function __mmput(mm: Mm): void {
  ksm_exit(mm);
  exit_mmap(mm);
  trace_mm_exited(mm);
  mmdrop(mm);
}
