/**
 * The entrance of the lock validator (kernel/locking/lockdep.c, Linux 6.1): what locks call.
 * @notrace: a lock operation counts as its caller's.
 */
import { bootOptions } from '../../../machine/boot.ts';
import { elementOf, get, set } from '../../../machine/door.ts';
import { NULL, type Ptr } from '../../../machine/layout.ts';
import { currentFunction } from '../../../machine/shadow-stack.ts';
import { current, held_lock, task_struct } from '../../include/task_struct.ts';
import { lockdep_map, lockName } from './types.ts';

const LOCKDEP = bootOptions().lockdep !== 'off';

/**
 * Gives a lock its name and class.
 * @param object  its OBJ_* number in traces
 */
export function lockdep_init_map(
  map: Ptr<'lockdep_map'>,
  name: string,
  key: Ptr<'lock_class_key'>,
  _subclass: number,
  inner: number,
  outer: number,
  object: number,
): void {
  set(map, lockdep_map.key, key);
  set(map, lockdep_map.class_cache0, 0);
  set(map, lockdep_map.class_cache1, 0);
  set(map, lockdep_map.name, lockName(name));
  set(map, lockdep_map.wait_type_inner, inner);
  set(map, lockdep_map.wait_type_outer, outer);
  set(map, lockdep_map.trace_object, object);
}

/**
 * A lock is about to be taken.
 * @param read  0 exclusive, 1 plain read, 2 recursive read
 * @param check  0: held stack only, 1: full validation
 * @param nest_lock  the lock under which several of one class may be taken, or NULL
 */
export function lock_acquire(
  map: Ptr<'lockdep_map'>,
  _subclass: number,
  trylock: number,
  read: number,
  _check: number,
  _nest: number,
): void {
  if (!LOCKDEP) return;
  const curr = current();
  const depth = get(curr, task_struct.lockdep_depth);
  const held = elementOf(curr, task_struct.held_locks, held_lock, depth);
  set(held, held_lock.instance, map);
  set(held, held_lock.read, read);
  set(held, held_lock.trylock, trylock);
  set(held, held_lock.acquire_fn, currentFunction());
  set(curr, task_struct.lockdep_depth, depth + 1);
}

/** A lock is about to be given up. */
export function lock_release(map: Ptr<'lockdep_map'>): void {
  if (!LOCKDEP) return;
  const curr = current();
  const depth = get(curr, task_struct.lockdep_depth) - 1;
  for (let i = depth; i >= 0; i--) {
    const held = elementOf(curr, task_struct.held_locks, held_lock, i);
    if (get(held, held_lock.instance) !== map) continue;
    if (i !== depth) set(held, held_lock.instance, NULL);
    else set(curr, task_struct.lockdep_depth, depth);
    return;
  }
}

/** Does the current task hold this lock? @param read  -1 in any mode, 0 for write, 1 for read */
export function lock_is_held_type(map: Ptr<'lockdep_map'>, read: number): boolean {
  const curr = current();
  for (let i = get(curr, task_struct.lockdep_depth) - 1; i >= 0; i--) {
    const held = elementOf(curr, task_struct.held_locks, held_lock, i);
    if (get(held, held_lock.instance) === map) return read === -1 || (get(held, held_lock.read) !== 0) === (read !== 0);
  }
  return false;
}

/** Does the current task hold this lock in any mode? */
export function lock_is_held(map: Ptr<'lockdep_map'>): boolean {
  return lock_is_held_type(map, -1);
}
