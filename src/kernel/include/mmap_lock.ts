/** The lock of an address space by its own names (include/linux/mmap_lock.h, Linux 6.1); all inlined, as there. @notrace */
import { addressOf } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { lock_is_held } from '../locking/lockdep/held.ts';
import { down_read, down_read_trylock, down_write, down_write_nested, rw_semaphore, up_read, up_write } from '../locking/rwsem.ts';
import { mm_struct } from './mm_types.ts';

/** For a second mm of the same class: the child in a fork. */
export const SINGLE_DEPTH_NESTING = 1;

export function mmap_read_lock(mm: Ptr<'mm_struct'>): void {
  down_read(addressOf(mm, mm_struct.mmap_lock));
}
/** Tells whether it was free to be read. */
export function mmap_read_trylock(mm: Ptr<'mm_struct'>): boolean {
  return down_read_trylock(addressOf(mm, mm_struct.mmap_lock));
}
export function mmap_read_unlock(mm: Ptr<'mm_struct'>): void {
  up_read(addressOf(mm, mm_struct.mmap_lock));
}
export function mmap_write_lock(mm: Ptr<'mm_struct'>): void {
  down_write(addressOf(mm, mm_struct.mmap_lock));
}
export function mmap_write_lock_nested(mm: Ptr<'mm_struct'>, subclass: number): void {
  down_write_nested(addressOf(mm, mm_struct.mmap_lock), subclass);
}
export function mmap_write_unlock(mm: Ptr<'mm_struct'>): void {
  up_write(addressOf(mm, mm_struct.mmap_lock));
}
/** Does the current task hold it? Needs the validator. */
export function mmap_lock_held(mm: Ptr<'mm_struct'>): boolean {
  return lock_is_held(addressOf(addressOf(mm, mm_struct.mmap_lock), rw_semaphore.dep_map));
}
