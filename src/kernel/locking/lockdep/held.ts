/** Looking for a lock on the current task's held stack (kernel/locking/lockdep.c, Linux 6.1). @notrace */
import { bootOptions } from '../../../machine/boot.ts';
import { NULL, type Ptr } from '../../../machine/layout.ts';
import { i32 as arenaWords } from '../../../machine/memory.ts';
import { get } from '../../../machine/plain.ts';
import { current, HELD_CONTEXT_MASK, HELD_READ_MASK, held_lock, heldLock, task_struct } from '../../include/task_struct.ts';
import { look_up_lock_class } from './classes.ts';
import { DEBUG_LOCKS } from './internals.ts';
import { lockdep_map } from './types.ts';

const LOCKDEP = bootOptions().lockdep !== 'off';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;
const DEBUG_LOCKS_WORD = DEBUG_LOCKS >> 2;

/** Is this entry the hold of `map`: by instance, or by class when it counts several? */
function match_held_lock(held: Ptr<'held_lock'>, map: Ptr<'lockdep_map'>): boolean {
  if (get(held, held_lock.instance) === map) return true;
  if (get(held, held_lock.references) === 0) return false;
  const key = get(map, lockdep_map.key);
  return key !== NULL && look_up_lock_class(key, get(held, held_lock.subclass)) === get(held, held_lock.class_idx);
}

/** Place of `map` on the held stack, in the current interrupt context only; -1 when it is not there. */
export function find_held_lock(curr: Ptr<'task_struct'>, map: Ptr<'lockdep_map'>): number {
  const depth = get(curr, task_struct.lockdep_depth);
  for (let i = depth - 1; i >= 0; i--) {
    const held = heldLock(curr, i);
    if (i !== depth - 1 && ((get(held, held_lock.flags) ^ get(heldLock(curr, i + 1), held_lock.flags)) & HELD_CONTEXT_MASK) !== 0)
      return -1;
    if (match_held_lock(held, map)) return i;
  }
  return -1;
}

/**
 * Does the current task hold this lock? True as well while the validator is off, so that nobody reports by mistake.
 * @param read  -1 in any mode, 0 for write, 1 for read
 */
export function lock_is_held_type(map: Ptr<'lockdep_map'>, read: number): boolean {
  if (!LOCKDEP || i32[DEBUG_LOCKS_WORD] === 0) return true;
  const curr = current();
  for (let i = get(curr, task_struct.lockdep_depth) - 1; i >= 0; i--) {
    const held = heldLock(curr, i);
    if (match_held_lock(held, map)) return read === -1 || ((get(held, held_lock.flags) & HELD_READ_MASK) !== 0) === (read !== 0);
  }
  return false;
}

/** Does the current task hold this lock in any mode? */
export function lock_is_held(map: Ptr<'lockdep_map'>): boolean {
  return lock_is_held_type(map, -1);
}
