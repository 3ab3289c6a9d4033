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
import { NULL, type Ptr } from '../../../machine/layout.ts';
import { i32 as arenaWords } from '../../../machine/memory.ts';
import { get, set } from '../../../machine/plain.ts';
import { currentFunction } from '../../../machine/shadow-stack.ts';
import { textNumber } from '../../../machine/text.ts';
import {
  current,
  HELD_CHECK,
  HELD_CONTEXT_MASK,
  HELD_HARDIRQS_OFF,
  HELD_TRYLOCK,
  held_lock,
  MAX_LOCK_DEPTH,
  task_struct,
} from '../../include/task_struct.ts';
import { IRQ_HARD_OFF, IRQ_STATES } from '../../irqflags.ts';
import { debug_check_no_locks_reinit } from './asserts.ts';
import { chainHigh, chainLow, lookup_chain_cache } from './chains.ts';
import { register_lock_class } from './classes.ts';
import { USAGE_OF_ACQUIRE, WAIT_OF_CONTEXT } from './contexts.ts';
import {
  CLASS_BITS,
  countOp,
  DEBUG_LOCKS,
  debugLocks,
  graph_lock,
  graph_unlock,
  LOCK_CLASSES,
  lock_chain,
  lock_class,
} from './internals.ts';
import { LOCK_USED } from './names.ts';
import { __lock_acquire, __lock_release } from './slow-path.ts';
import { LD_LOCK_NORMAL, lock_class_key, lockdep_map, lockdep_no_validate } from './types.ts';

const LOCKDEP = bootOptions().lockdep !== 'off';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;
const DEBUG_LOCKS_WORD = DEBUG_LOCKS >> 2;
const CLASS_BASE = LOCK_CLASSES;
/** Bits that an acquire without checks sets. */
const USED_BITS = 3 << LOCK_USED;

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
  if (LOCKDEP) acquire(map, subclass, trylock, read, check, nest);
}

/** {@link lock_acquire} where the validator is on. Apart from it: too large for the JIT to inline, and then to drop. */
function acquire(map: Ptr<'lockdep_map'>, subclass: number, trylock: number, read: number, check: number, nest: Ptr<'lockdep_map'>): void {
  if (i32[DEBUG_LOCKS_WORD] === 0) return;
  const curr = current();
  const depth = get(curr, task_struct.lockdep_depth);
  const idx = subclass === 0 ? get(map, lockdep_map.class_cache0) : subclass === 1 ? get(map, lockdep_map.class_cache1) : 0;
  if (idx !== 0 && nest === NULL && depth < MAX_LOCK_DEPTH) {
    const state = get(curr, task_struct.irq_state);
    const lockClassAt = (CLASS_BASE + idx * lock_class.SIZE) as Ptr<'lock_class'>;
    let wanted = USAGE_OF_ACQUIRE[state + (trylock !== 0 ? IRQ_STATES : 0) + (read !== 0 ? 2 * IRQ_STATES : 0)] as number;
    if (check === 0) wanted &= USED_BITS;
    const context = (state & 12) << 2;
    const held = (curr + task_struct.held_locks + depth * held_lock.SIZE) as unknown as Ptr<'held_lock'>;
    const under = (held - held_lock.SIZE) as unknown as Ptr<'held_lock'>;
    // The first lock of its interrupt context begins a chain of its own.
    const head = depth === 0 || (get(under, held_lock.flags) & HELD_CONTEXT_MASK) !== context;
    const waitMin = head ? (WAIT_OF_CONTEXT[state] as number) : get(under, held_lock.wait_min);
    if (
      (wanted & ~get(lockClassAt, lock_class.clean_usage)) === 0 &&
      (trylock !== 0 || get(lockClassAt, lock_class.wait_need) <= waitMin)
    ) {
      const id = idx | (read << CLASS_BITS);
      const oldLo = get(curr, task_struct.chain_key_lo);
      const oldHi = get(curr, task_struct.chain_key_hi);
      const lo = chainLow(head ? 0 : oldLo, id);
      const hi = chainHigh(head ? 0 : oldHi, id, lo);
      let known = trylock !== 0 || check === 0;
      if (!known) {
        const chain = lookup_chain_cache(lo, hi);
        known = chain !== NULL && get(chain, lock_chain.bad) === 0;
      }
      if (known) {
        const inner = get(lockClassAt, lock_class.wait_type_inner);
        set(held, held_lock.instance, map);
        set(held, held_lock.class_idx, idx);
        set(
          held,
          held_lock.flags,
          read |
            (trylock !== 0 ? HELD_TRYLOCK : 0) |
            (check !== 0 ? HELD_CHECK : 0) |
            context |
            ((state & IRQ_HARD_OFF) * HELD_HARDIRQS_OFF),
        );
        set(held, held_lock.acquire_fn, currentFunction());
        set(held, held_lock.prev_chain_lo, oldLo);
        set(held, held_lock.prev_chain_hi, oldHi);
        set(held, held_lock.wait_min, inner !== 0 && inner < waitMin ? inner : waitMin);
        set(held, held_lock.subclass, subclass);
        set(curr, task_struct.chain_key_lo, lo);
        set(curr, task_struct.chain_key_hi, hi);
        set(curr, task_struct.lockdep_depth, depth + 1);
        if (trylock === 0 && check !== 0) set(curr, task_struct.chain_lookup_hits, get(curr, task_struct.chain_lookup_hits) + 1);
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
