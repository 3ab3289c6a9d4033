/**
 * The entrance of the lock validator (kernel/locking/lockdep.c, Linux 6.1): what locks call.
 *
 * A lock that is taken goes on the task's held stack. When its class has this usage already and the chain of held locks
 * is in the chain cache, that is all: no shared word is written (warm-path.ts). Everything new is looked at once, under the graph lock.
 * Unlike the kernel's, this validator goes on after a report (boot option `lockdep`: 'stop' for the kernel's way): what was
 * reported stays out of the graph, so that it is found, and counted, again.
 * @notrace: a lock operation counts as its caller's.
 */
import { bootOptions } from '../../../machine/boot.ts';
import { NULL, type Ptr } from '../../../machine/layout.ts';
import { i32 as arenaWords } from '../../../machine/memory.ts';
import { get, set } from '../../../machine/plain.ts';
import { currentFunction } from '../../../machine/shadow-stack.ts';
import { textNumber } from '../../../machine/text.ts';
import { current, HELD_CHECK, HELD_TRYLOCK, held_lock, task_struct } from '../../include/task_struct.ts';
import { debug_check_no_locks_reinit } from './asserts.ts';
import { register_lock_class } from './classes.ts';
import { DEBUG_LOCKS, debugLocks, graph_lock, graph_unlock } from './internals.ts';
import { __lock_acquire, __lock_release } from './slow-path.ts';
import { LD_LOCK_NORMAL, lock_class_key, lockdep_map, lockdep_no_validate } from './types.ts';
import { acquireKnown } from './warm-path.ts';

const LOCKDEP = bootOptions().lockdep !== 'off';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;
const DEBUG_LOCKS_WORD = DEBUG_LOCKS >> 2;

/**
 * Gives a lock its name and class.
 * @param inner  LD_WAIT_* of those who hold it; 0: takes no part in the wait-context check
 * @param outer  LD_WAIT_* that taking it needs; 0: the same
 * @param object  its OBJ_* number in traces
 */
export function lockdep_init_map(
  map: Ptr<'lockdep_map'>,
  name: string,
  key: Ptr<'lock_class_key'>,
  subclass: number,
  inner: number,
  outer: number,
  object: number,
  lockType: number = LD_LOCK_NORMAL,
): void {
  if (LOCKDEP) debug_check_no_locks_reinit(map);
  set(map, lockdep_map.key, key);
  // Locks without validation are looked up each time, so that the warm path need not ask.
  const known = key !== NULL && key !== lockdep_no_validate;
  set(map, lockdep_map.class_cache0, known ? get(key, lock_class_key.class0) : 0);
  set(map, lockdep_map.class_cache1, known ? get(key, lock_class_key.class1) : 0);
  set(map, lockdep_map.name, textNumber(name));
  set(map, lockdep_map.wait_type_inner, inner);
  set(map, lockdep_map.wait_type_outer, outer);
  set(map, lockdep_map.lock_type, lockType);
  set(map, lockdep_map.trace_object, object);
  if (subclass !== 0 && LOCKDEP && debugLocks()) {
    // As in Linux: a lock initialised as a subclass is of that class when taken without saying so.
    graph_lock();
    try {
      set(map, lockdep_map.class_cache0, register_lock_class(map, subclass));
    } finally {
      graph_unlock();
    }
  }
}

/**
 * A lock is about to be taken, or (trylock) was.
 * @param read  0 exclusive, 1 plain read, 2 recursive read
 * @param check  0: held stack only, 1: full validation
 * @param nest  the lock under which several of one class may be taken, or NULL
 */
export function lock_acquire(
  map: Ptr<'lockdep_map'>,
  subclass: number,
  trylock: number,
  read: number,
  check: number,
  nest: Ptr<'lockdep_map'>,
): void {
  if (!LOCKDEP) return;
  const flags = read | (trylock !== 0 ? HELD_TRYLOCK : 0) | (check !== 0 ? HELD_CHECK : 0);
  if (nest !== NULL || !acquireKnown(current(), map, subclass, flags, currentFunction())) acquireNew(map, subclass, flags, nest);
}

/** {@link lock_acquire} when there is something to validate. */
function acquireNew(map: Ptr<'lockdep_map'>, subclass: number, flags: number, nest: Ptr<'lockdep_map'>): void {
  graph_lock();
  try {
    __lock_acquire(current(), map, subclass, flags, nest, currentFunction(), 0, 0);
  } finally {
    graph_unlock();
  }
}

/** A lock is about to be given up. */
export function lock_release(map: Ptr<'lockdep_map'>): void {
  if (LOCKDEP) release(map);
}

/** {@link lock_release} where the validator is on. */
function release(map: Ptr<'lockdep_map'>): void {
  if (i32[DEBUG_LOCKS_WORD] === 0) return;
  const curr = current();
  const depth = get(curr, task_struct.lockdep_depth);
  const top = (curr + task_struct.held_locks + (depth - 1) * held_lock.SIZE) as unknown as Ptr<'held_lock'>;
  if (depth > 0 && get(top, held_lock.instance) === map && get(top, held_lock.nest_lock) === NULL && get(top, held_lock.pin_count) === 0) {
    set(curr, task_struct.chain_key_lo, get(top, held_lock.prev_chain_lo));
    set(curr, task_struct.chain_key_hi, get(top, held_lock.prev_chain_hi));
    set(curr, task_struct.lockdep_depth, depth - 1);
    return;
  }
  __lock_release(curr, map);
}
