/**
 * The map of filesystem reclaim (mm/page_alloc.c, Linux 6.1): allocating memory counts as taking a lock that reclaim
 * holds, so an allocation under a lock that reclaim needs is found without memory ever running out.
 * Left out: the second map under it, of MMU notifiers.
 * @notrace
 */
import { get, set } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { current, task_struct } from '../include/task_struct.ts';
import { lock_acquire, lock_release, lockdep_init_map } from '../locking/lockdep/lockdep.ts';
import { LD_WAIT_INV, lockdep_map, rememberStaticMap, staticKey } from '../locking/lockdep/types.ts';
import { might_sleep } from '../locking/might_sleep.ts';
import { OBJ_LOCK } from '../trace/vocabulary.ts';

/** Allocation flags, as far as they matter here. */
export const __GFP_FS = 0x80;
export const __GFP_DIRECT_RECLAIM = 0x400;
export const GFP_NOFS = __GFP_DIRECT_RECLAIM;
export const GFP_KERNEL: number = __GFP_DIRECT_RECLAIM | __GFP_FS;
export const GFP_ATOMIC = 0;

const map = staticStorage('map:fs_reclaim', lockdep_map.SIZE);
const __fs_reclaim_map = map.address as Ptr<'lockdep_map'>;
if (map.fresh) lockdep_init_map(__fs_reclaim_map, 'fs_reclaim', staticKey('fs_reclaim'), 0, LD_WAIT_INV, LD_WAIT_INV, OBJ_LOCK);
rememberStaticMap(__fs_reclaim_map);

/** May this allocation enter the filesystem? */
function needsMap(gfp: number): boolean {
  return (gfp & GFP_KERNEL) === GFP_KERNEL && get(current(), task_struct.nofs_depth) === 0;
}

/** Reclaim on behalf of an allocation begins. */
export function fs_reclaim_acquire(gfp: number): void {
  if (needsMap(gfp)) lock_acquire(__fs_reclaim_map, 0, 0, 0, 1, NULL);
}

/** It ends. */
export function fs_reclaim_release(gfp: number): void {
  if (needsMap(gfp)) lock_release(__fs_reclaim_map);
}

/** An allocation with these flags could happen here. */
export function might_alloc(gfp: number): void {
  fs_reclaim_acquire(gfp);
  fs_reclaim_release(gfp);
  if ((gfp & __GFP_DIRECT_RECLAIM) !== 0) might_sleep();
}

/** From here on no allocation of this task enters the filesystem. Nests. */
export function memalloc_nofs_save(): void {
  set(current(), task_struct.nofs_depth, get(current(), task_struct.nofs_depth) + 1);
}

/** Takes one {@link memalloc_nofs_save} back. */
export function memalloc_nofs_restore(): void {
  set(current(), task_struct.nofs_depth, get(current(), task_struct.nofs_depth) - 1);
}
