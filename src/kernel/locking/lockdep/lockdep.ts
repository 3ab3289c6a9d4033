/**
 * The entrance of the lock validator (kernel/locking/lockdep.c, Linux 6.1): what locks call.
 *
 * A lock that is taken goes on the task's held stack. When its class has this usage already and the chain of held locks
 * is in the chain cache, that is all: no shared word is written. Everything new is looked at once, under the graph lock.
 * Unlike the kernel's, this validator goes on after a report (boot option `lockdep`: 'stop' for the kernel's way): what was
 * reported stays out of the graph, so that it is found, and counted, again.
 * @notrace: a lock operation counts as its caller's.
 */
import { bootOptions } from '../../../machine/boot.ts';
import { get, set } from '../../../machine/door.ts';
import { NULL, type Ptr } from '../../../machine/layout.ts';
import { i32 as arenaWords } from '../../../machine/memory.ts';
import { currentFunction } from '../../../machine/shadow-stack.ts';
import { AREA_INDEX, AREA_KERNEL } from '../../../machine/task-area.ts';
import { textNumber } from '../../../machine/text.ts';
import {
  current,
  HELD_CHECK,
  HELD_CONTEXT_MASK,
  HELD_CONTEXT_SHIFT,
  HELD_HARDIRQS_OFF,
  HELD_READ_MASK,
  HELD_TRYLOCK,
  held_lock,
  heldLock,
  MAX_LOCK_DEPTH,
  task_struct,
} from '../../include/task_struct.ts';
import { IRQ_HARD_OFF, IRQ_STATES, irqContext } from '../../irqflags.ts';
import { chainHigh, chainLow, lookup_chain_cache } from './chains.ts';
import { look_up_lock_class, register_lock_class } from './classes.ts';
import { USAGE_OF_ACQUIRE, WAIT_OF_CONTEXT } from './contexts.ts';
import {
  CLASS_BITS,
  DEBUG_LOCKS,
  debugLocks,
  graph_lock,
  graph_unlock,
  LOCK_CLASSES,
  LOCK_OPS,
  lock_chain,
  lock_class,
  lockClass,
  MAX_LOCKDEP_DEPTH,
  MAX_LOCKDEP_KEYS,
  raise,
} from './internals.ts';
import { LOCK_USED } from './names.ts';
import { reportDepth } from './report-limits.ts';
import {
  reportHeldAtExit,
  reportHeldLockFreed,
  reportNestNotHeld,
  reportUnlockImbalance,
  reportWaitContext,
  reportWarning,
} from './report-misc.ts';
import { LD_LOCK_NORMAL, lock_class_key, lockdep_map, lockdep_no_validate } from './types.ts';
import { mark_usage } from './usage.ts';
import { hlock_id, validate_chain } from './validate.ts';

const LOCKDEP = bootOptions().lockdep !== 'off';

// Own constants: the JIT folds those of a module, but neither imported ones nor fields of objects.
const i32 = arenaWords;
const DEBUG_LOCKS_WORD = DEBUG_LOCKS >> 2;
const CLASS_BASE = LOCK_CLASSES;
const CLASS_SIZE = lock_class.SIZE;
const CLEAN_USAGE = lock_class.clean_usage;
const WAIT_NEED = lock_class.wait_need;
const WAIT_INNER = lock_class.wait_type_inner;
const CACHE0 = lockdep_map.class_cache0;
const CACHE1 = lockdep_map.class_cache1;
const DEPTH = task_struct.lockdep_depth;
const CHAIN_LO = task_struct.chain_key_lo;
const CHAIN_HI = task_struct.chain_key_hi;
const IRQ_STATE = task_struct.irq_state;
const HITS = task_struct.chain_lookup_hits;
const HELD = task_struct.held_locks;
const HELD_SIZE = held_lock.SIZE;
const H_INSTANCE = held_lock.instance;
const H_CLASS = held_lock.class_idx;
const H_FLAGS = held_lock.flags;
const H_FN = held_lock.acquire_fn;
const H_PREV_LO = held_lock.prev_chain_lo;
const H_PREV_HI = held_lock.prev_chain_hi;
const H_WAIT_MIN = held_lock.wait_min;
const H_NEST = held_lock.nest_lock;
const H_REFERENCES = held_lock.references;
const H_SUBCLASS = held_lock.subclass;
const CHAIN_BAD = lock_chain.bad;
/** Bits that an acquire without checks sets. */
const USED_BITS = 3 << LOCK_USED;
const OPS_PER_TASK = MAX_LOCKDEP_KEYS + 1;

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
  set(map, CACHE0, known ? get(key, lock_class_key.class0) : 0);
  set(map, CACHE1, known ? get(key, lock_class_key.class1) : 0);
  set(map, lockdep_map.name, textNumber(name));
  set(map, lockdep_map.wait_type_inner, inner);
  set(map, lockdep_map.wait_type_outer, outer);
  set(map, lockdep_map.lock_type, lockType);
  set(map, lockdep_map.trace_object, object);
  if (subclass !== 0 && LOCKDEP && debugLocks()) {
    // As in Linux: a lock initialised as a subclass is of that class when taken without saying so.
    graph_lock();
    try {
      set(map, CACHE0, register_lock_class(map, subclass));
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
  if (LOCKDEP) acquire(map, subclass, trylock, read, check, nest);
}

/** {@link lock_acquire} where the validator is on. Apart from it: too large for the JIT to inline, and then to drop. */
function acquire(map: Ptr<'lockdep_map'>, subclass: number, trylock: number, read: number, check: number, nest: Ptr<'lockdep_map'>): void {
  if (i32[DEBUG_LOCKS_WORD] === 0) return;
  const curr = current();
  const depth = get(curr, DEPTH);
  const idx = subclass === 0 ? get(map, CACHE0) : subclass === 1 ? get(map, CACHE1) : 0;
  if (idx !== 0 && nest === NULL && depth < MAX_LOCK_DEPTH) {
    const state = get(curr, IRQ_STATE);
    const lockClassAt = (CLASS_BASE + idx * CLASS_SIZE) as Ptr<'lock_class'>;
    let wanted = USAGE_OF_ACQUIRE[state + (trylock !== 0 ? IRQ_STATES : 0) + (read !== 0 ? 2 * IRQ_STATES : 0)] as number;
    if (check === 0) wanted &= USED_BITS;
    const context = (state & 12) << 2;
    const held = (curr + HELD + depth * HELD_SIZE) as unknown as Ptr<'held_lock'>;
    const under = (held - HELD_SIZE) as unknown as Ptr<'held_lock'>;
    // The first lock of its interrupt context begins a chain of its own.
    const head = depth === 0 || (get(under, H_FLAGS) & HELD_CONTEXT_MASK) !== context;
    const waitMin = head ? (WAIT_OF_CONTEXT[state] as number) : get(under, H_WAIT_MIN);
    if ((wanted & ~get(lockClassAt, CLEAN_USAGE)) === 0 && (trylock !== 0 || get(lockClassAt, WAIT_NEED) <= waitMin)) {
      const id = idx | (read << CLASS_BITS);
      const oldLo = get(curr, CHAIN_LO);
      const oldHi = get(curr, CHAIN_HI);
      const lo = chainLow(head ? 0 : oldLo, id);
      const hi = chainHigh(head ? 0 : oldHi, id, lo);
      let known = trylock !== 0 || check === 0;
      if (!known) {
        const chain = lookup_chain_cache(lo, hi);
        known = chain !== NULL && get(chain, CHAIN_BAD) === 0;
      }
      if (known) {
        const inner = get(lockClassAt, WAIT_INNER);
        set(held, H_INSTANCE, map);
        set(held, H_CLASS, idx);
        set(
          held,
          H_FLAGS,
          read |
            (trylock !== 0 ? HELD_TRYLOCK : 0) |
            (check !== 0 ? HELD_CHECK : 0) |
            context |
            ((state & IRQ_HARD_OFF) * HELD_HARDIRQS_OFF),
        );
        set(held, H_FN, currentFunction());
        set(held, H_PREV_LO, oldLo);
        set(held, H_PREV_HI, oldHi);
        set(held, H_WAIT_MIN, inner !== 0 && inner < waitMin ? inner : waitMin);
        set(held, H_SUBCLASS, subclass);
        set(curr, CHAIN_LO, lo);
        set(curr, CHAIN_HI, hi);
        set(curr, DEPTH, depth + 1);
        if (trylock === 0 && check !== 0) set(curr, HITS, get(curr, HITS) + 1);
        countOp(curr, idx);
        return;
      }
    }
  }
  const flags = read | (trylock !== 0 ? HELD_TRYLOCK : 0) | (check !== 0 ? HELD_CHECK : 0);
  graph_lock();
  try {
    __lock_acquire(curr, map, subclass, flags, nest, currentFunction(), 0, 0);
  } finally {
    graph_unlock();
  }
}

/** Counts an acquire of a class by a task. @inline */
function countOp(curr: Ptr<'task_struct'>, idx: number): void {
  const at = (LOCK_OPS >> 2) + (i32[(curr - AREA_KERNEL + AREA_INDEX) >> 2] as number) * OPS_PER_TASK + idx;
  i32[at] = (i32[at] as number) + 1;
}

/**
 * The whole of an acquire, in the kernel's order: references of nested locks, wait context, usage, nest lock, chain.
 * Must hold the graph lock.
 * @param flags  mode, HELD_TRYLOCK, HELD_CHECK; for a lock that is put back also the rest
 * @param references  of a nested lock that is put back
 */
function __lock_acquire(
  curr: Ptr<'task_struct'>,
  map: Ptr<'lockdep_map'>,
  subclass: number,
  flags: number,
  nest: Ptr<'lockdep_map'>,
  fn: number,
  references: number,
  pins: number,
): void {
  if (!debugLocks()) return;
  const depth = get(curr, DEPTH);
  if (depth >= MAX_LOCK_DEPTH) {
    reportDepth();
    return;
  }
  const idx = (subclass < 2 ? get(map, subclass === 0 ? CACHE0 : CACHE1) : 0) || register_lock_class(map, subclass);
  if (idx === 0) return;
  const state = get(curr, IRQ_STATE);
  const context = irqContext(state) << HELD_CONTEXT_SHIFT;
  const under = heldLock(curr, depth - 1);
  countOp(curr, idx);
  if (depth > 0 && nest !== NULL && get(under, H_CLASS) === idx) {
    // Another instance under the same nest lock: the entry on top counts it.
    set(under, H_REFERENCES, Math.max(1, get(under, H_REFERENCES)) + Math.max(1, references));
    return;
  }
  const read = flags & HELD_READ_MASK;
  const checked = (flags & HELD_CHECK) !== 0 && get(map, lockdep_map.key) !== lockdep_no_validate;
  const trylock = (flags & HELD_TRYLOCK) !== 0;
  const head = depth === 0 || (get(under, H_FLAGS) & HELD_CONTEXT_MASK) !== context;
  const waitMin = head ? (WAIT_OF_CONTEXT[state] as number) : get(under, H_WAIT_MIN);
  const c = lockClass(idx);
  const inner = get(c, WAIT_INNER);
  const held = heldLock(curr, depth);
  const oldLo = get(curr, CHAIN_LO);
  const oldHi = get(curr, CHAIN_HI);
  const id = hlock_id(idx, read);
  const lo = chainLow(head ? 0 : oldLo, id);
  const hi = chainHigh(head ? 0 : oldHi, id, lo);
  set(held, H_INSTANCE, map);
  set(held, H_CLASS, idx);
  set(held, H_FLAGS, read | (flags & HELD_TRYLOCK) | (checked ? HELD_CHECK : 0) | context | ((state & IRQ_HARD_OFF) * HELD_HARDIRQS_OFF));
  set(held, H_FN, fn);
  set(held, H_PREV_LO, oldLo);
  set(held, H_PREV_HI, oldHi);
  set(held, H_WAIT_MIN, inner !== 0 && inner < waitMin ? inner : waitMin);
  set(held, H_NEST, nest);
  set(held, H_REFERENCES, references);
  set(held, held_lock.pin_count, pins);
  set(held, H_SUBCLASS, subclass);

  if (!trylock && get(c, WAIT_NEED) > waitMin) reportWaitContext(held);
  const wanted = USAGE_OF_ACQUIRE[state + (trylock ? IRQ_STATES : 0) + (read !== 0 ? 2 * IRQ_STATES : 0)] as number;
  mark_usage(held, checked ? wanted : wanted & USED_BITS);
  if (nest !== NULL && !lock_is_held(nest)) reportNestNotHeld(held, nest);
  if (!trylock && checked) {
    set(curr, task_struct.chain_lookup_misses, get(curr, task_struct.chain_lookup_misses) + 1);
    validate_chain(curr, depth, lo, hi);
  }
  set(curr, CHAIN_LO, lo);
  set(curr, CHAIN_HI, hi);
  set(curr, DEPTH, depth + 1);
  raise(MAX_LOCKDEP_DEPTH, depth + 1);
}

/** Is this entry the hold of `map`: by instance, or by class when it counts several? */
function match_held_lock(held: Ptr<'held_lock'>, map: Ptr<'lockdep_map'>): boolean {
  if (get(held, H_INSTANCE) === map) return true;
  if (get(held, H_REFERENCES) === 0) return false;
  const key = get(map, lockdep_map.key);
  return key !== NULL && look_up_lock_class(key, get(held, H_SUBCLASS)) === get(held, H_CLASS);
}

/** Place of `map` on the held stack, in the current interrupt context only; -1 when it is not there. */
function find_held_lock(curr: Ptr<'task_struct'>, map: Ptr<'lockdep_map'>): number {
  const depth = get(curr, DEPTH);
  for (let i = depth - 1; i >= 0; i--) {
    const held = heldLock(curr, i);
    if (i !== depth - 1 && ((get(held, H_FLAGS) ^ get(heldLock(curr, i + 1), H_FLAGS)) & HELD_CONTEXT_MASK) !== 0) return -1;
    if (match_held_lock(held, map)) return i;
  }
  return -1;
}

/** A lock is about to be given up. */
export function lock_release(map: Ptr<'lockdep_map'>): void {
  if (LOCKDEP) release(map);
}

/** {@link lock_release} where the validator is on. */
function release(map: Ptr<'lockdep_map'>): void {
  if (i32[DEBUG_LOCKS_WORD] === 0) return;
  const curr = current();
  const depth = get(curr, DEPTH);
  const top = (curr + HELD + (depth - 1) * HELD_SIZE) as unknown as Ptr<'held_lock'>;
  if (depth > 0 && get(top, H_INSTANCE) === map && get(top, H_NEST) === NULL && get(top, held_lock.pin_count) === 0) {
    set(curr, CHAIN_LO, get(top, H_PREV_LO));
    set(curr, CHAIN_HI, get(top, H_PREV_HI));
    set(curr, DEPTH, depth - 1);
    return;
  }
  __lock_release(curr, map);
}

/** The whole of a release: nested references, pins, and putting back what was taken later. */
function __lock_release(curr: Ptr<'task_struct'>, map: Ptr<'lockdep_map'>): void {
  const depth = get(curr, DEPTH);
  const i = find_held_lock(curr, map);
  if (i < 0) {
    reportUnlockImbalance(map);
    return;
  }
  const held = heldLock(curr, i);
  if (get(held, H_REFERENCES) > 0) {
    set(held, H_REFERENCES, get(held, H_REFERENCES) - 1);
    if (get(held, H_REFERENCES) > 0) return;
  }
  if (get(held, held_lock.pin_count) !== 0) reportWarning('pinned-lock', 'releasing a pinned lock', false);
  popEntry(curr, held, i);
  if (i < depth - 1) {
    graph_lock();
    try {
      reacquire_held_locks(curr, i + 1, depth);
    } finally {
      graph_unlock();
    }
  }
}

/** Ends the stack below entry `i`. */
function popEntry(curr: Ptr<'task_struct'>, held: Ptr<'held_lock'>, i: number): void {
  set(curr, CHAIN_LO, get(held, H_PREV_LO));
  set(curr, CHAIN_HI, get(held, H_PREV_HI));
  set(curr, DEPTH, i);
  set(held, H_NEST, NULL);
  set(held, H_REFERENCES, 0);
  set(held, held_lock.pin_count, 0);
}

/** Takes entries `from` to `depth` - 1 again, on top of what is held: the order of holding has changed. Must hold the graph lock. */
function reacquire_held_locks(curr: Ptr<'task_struct'>, from: number, depth: number): void {
  const state = get(curr, IRQ_STATE);
  for (let i = from; i < depth; i++) {
    const held = heldLock(curr, i);
    const flags = get(held, H_FLAGS);
    const nest = get(held, H_NEST);
    const references = get(held, H_REFERENCES);
    const pins = get(held, held_lock.pin_count);
    set(held, H_NEST, NULL);
    set(held, H_REFERENCES, 0);
    set(held, held_lock.pin_count, 0);
    // As it was when it was taken: interrupts may have been switched since.
    set(curr, IRQ_STATE, (state & ~IRQ_HARD_OFF) | ((flags & HELD_HARDIRQS_OFF) !== 0 ? IRQ_HARD_OFF : 0));
    __lock_acquire(curr, get(held, H_INSTANCE), get(held, H_SUBCLASS), flags, nest, get(held, H_FN), references, pins);
  }
  set(curr, IRQ_STATE, state);
}

/**
 * Does the current task hold this lock? True as well while the validator is off, so that nobody reports by mistake.
 * @param read  -1 in any mode, 0 for write, 1 for read
 */
export function lock_is_held_type(map: Ptr<'lockdep_map'>, read: number): boolean {
  if (!LOCKDEP || i32[DEBUG_LOCKS_WORD] === 0) return true;
  const curr = current();
  for (let i = get(curr, DEPTH) - 1; i >= 0; i--) {
    const held = heldLock(curr, i);
    if (match_held_lock(held, map)) return read === -1 || ((get(held, H_FLAGS) & HELD_READ_MASK) !== 0) === (read !== 0);
  }
  return false;
}

/** Does the current task hold this lock in any mode? */
export function lock_is_held(map: Ptr<'lockdep_map'>): boolean {
  return lock_is_held_type(map, -1);
}

/** Reports unless the lock is held. @param read  as in {@link lock_is_held_type} */
export function lockdep_assert_held(map: Ptr<'lockdep_map'>, read = -1): void {
  if (!lock_is_held_type(map, read)) reportWarning('lock-not-held', '', false);
}

/** Reports when the lock is held. */
export function lockdep_assert_not_held(map: Ptr<'lockdep_map'>): void {
  if (LOCKDEP && debugLocks() && lock_is_held(map)) reportWarning('lock-held', '', false);
}

/** Reports when the current task holds any lock. */
export function lockdep_assert_none_held_once(): void {
  if (LOCKDEP && debugLocks() && get(current(), DEPTH) > 0) reportWarning('lock-held', '', false);
}

/** DEBUG_LOCKS_WARN_ON: reports a broken assertion of a lock; switches the validator off in mode `stop`. */
export function debug_locks_warn(condition: string): void {
  if (LOCKDEP) reportWarning('debug-locks-warning', `DEBUG_LOCKS_WARN_ON(${condition})`, true);
}

/** Does an entry's lock lie in this memory? */
function heldWithin(curr: Ptr<'task_struct'>, start: number, bytes: number): Ptr<'held_lock'> {
  for (let i = 0; i < get(curr, DEPTH); i++) {
    const at = get(heldLock(curr, i), H_INSTANCE) as number;
    if (at >= start && at < start + bytes) return heldLock(curr, i);
  }
  return NULL;
}

/** Memory is about to be freed: reports a lock in it that the current task holds. */
export function debug_check_no_locks_freed(start: number, bytes: number): void {
  if (!LOCKDEP || get(current(), DEPTH) === 0 || !debugLocks()) return;
  const held = heldWithin(current(), start, bytes);
  if (held !== NULL) reportHeldLockFreed('held-lock-freed', start, bytes, held);
}

/** A lock is initialised: reports when the current task holds it. */
function debug_check_no_locks_reinit(map: Ptr<'lockdep_map'>): void {
  if (get(current(), DEPTH) === 0 || !debugLocks()) return;
  const held = heldWithin(current(), map, lockdep_map.SIZE);
  if (held !== NULL) reportHeldLockFreed('held-lock-reinit', map, lockdep_map.SIZE, held);
}

/** A task leaves the kernel: reports the locks that it still holds. */
export function lockdep_sys_exit(): void {
  if (LOCKDEP && debugLocks() && get(current(), DEPTH) > 0) reportHeldAtExit();
}

/** The task holds nothing from now on, in task context with interrupts on: a new task, or one that an error unwound. */
export function lockdep_init_task(tsk: Ptr<'task_struct'>): void {
  for (let i = 0; i < MAX_LOCK_DEPTH; i++) {
    set(heldLock(tsk, i), H_NEST, NULL);
    set(heldLock(tsk, i), H_REFERENCES, 0);
    set(heldLock(tsk, i), held_lock.pin_count, 0);
  }
  set(tsk, DEPTH, 0);
  set(tsk, CHAIN_LO, 0);
  set(tsk, CHAIN_HI, 0);
  set(tsk, IRQ_STATE, 0);
  set(tsk, task_struct.hardirq_context, 0);
  set(tsk, task_struct.softirq_context, 0);
  set(tsk, task_struct.softirq_disable_depth, 0);
  set(tsk, task_struct.preempt_count, 0);
  set(tsk, task_struct.rcu_read_lock_nesting, 0);
  set(tsk, task_struct.nofs_depth, 0);
}
