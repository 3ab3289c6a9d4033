/**
 * Acquires and releases that need more than the warm path of lockdep.ts: whatever is new, nested, or out of order
 * (kernel/locking/lockdep.c, Linux 6.1). @notrace
 */

import { NULL, type Ptr } from '../../../machine/layout.ts';
import { get, set } from '../../../machine/plain.ts';
import {
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
import { chainHigh, chainLow } from './chains.ts';
import { register_lock_class } from './classes.ts';
import { USAGE_OF_ACQUIRE, WAIT_OF_CONTEXT } from './contexts.ts';
import { find_held_lock, lock_is_held } from './held.ts';
import { countOp, debugLocks, graph_lock, graph_unlock, lock_class, lockClass, MAX_LOCKDEP_DEPTH, raise } from './internals.ts';
import { LOCK_USED } from './names.ts';
import { reportDepth } from './report-limits.ts';
import { reportNestNotHeld, reportUnlockImbalance, reportWaitContext, reportWarning } from './report-misc.ts';
import { lockdep_map, lockdep_no_validate } from './types.ts';
import { mark_usage } from './usage.ts';
import { hlock_id, validate_chain } from './validate.ts';
import { acquireKnown } from './warm-path.ts';

/** Bits that an acquire without checks sets. */
const USED_BITS = 3 << LOCK_USED;

/**
 * The whole of an acquire, in the kernel's order: references of nested locks, wait context, usage, nest lock, chain.
 * Must hold the graph lock.
 * @param flags  mode, HELD_TRYLOCK, HELD_CHECK; for a lock that is put back also the rest
 * @param references  of a nested lock that is put back
 */
export function __lock_acquire(
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
  const depth = get(curr, task_struct.lockdep_depth);
  if (depth >= MAX_LOCK_DEPTH) {
    reportDepth();
    return;
  }
  const idx =
    (subclass < 2 ? get(map, subclass === 0 ? lockdep_map.class_cache0 : lockdep_map.class_cache1) : 0) ||
    register_lock_class(map, subclass);
  if (idx === 0) return;
  const state = get(curr, task_struct.irq_state);
  const context = irqContext(state) << HELD_CONTEXT_SHIFT;
  const under = heldLock(curr, depth - 1);
  countOp(curr, idx);
  if (depth > 0 && nest !== NULL && get(under, held_lock.class_idx) === idx) {
    // Another instance under the same nest lock: the entry on top counts it.
    set(under, held_lock.references, Math.max(1, get(under, held_lock.references)) + Math.max(1, references));
    return;
  }
  const read = flags & HELD_READ_MASK;
  const checked = (flags & HELD_CHECK) !== 0 && get(map, lockdep_map.key) !== lockdep_no_validate;
  const trylock = (flags & HELD_TRYLOCK) !== 0;
  const head = depth === 0 || (get(under, held_lock.flags) & HELD_CONTEXT_MASK) !== context;
  const waitMin = head ? (WAIT_OF_CONTEXT[state] as number) : get(under, held_lock.wait_min);
  const c = lockClass(idx);
  const inner = get(c, lock_class.wait_type_inner);
  const held = heldLock(curr, depth);
  const oldLo = get(curr, task_struct.chain_key_lo);
  const oldHi = get(curr, task_struct.chain_key_hi);
  const id = hlock_id(idx, read);
  const lo = chainLow(head ? 0 : oldLo, id);
  const hi = chainHigh(head ? 0 : oldHi, id, lo);
  set(held, held_lock.instance, map);
  set(held, held_lock.class_idx, idx);
  set(
    held,
    held_lock.flags,
    read | (flags & HELD_TRYLOCK) | (checked ? HELD_CHECK : 0) | context | ((state & IRQ_HARD_OFF) * HELD_HARDIRQS_OFF),
  );
  set(held, held_lock.acquire_fn, fn);
  set(held, held_lock.prev_chain_lo, oldLo);
  set(held, held_lock.prev_chain_hi, oldHi);
  set(held, held_lock.wait_min, inner !== 0 && inner < waitMin ? inner : waitMin);
  set(held, held_lock.nest_lock, nest);
  set(held, held_lock.references, references);
  set(held, held_lock.pin_count, pins);
  set(held, held_lock.subclass, subclass);

  if (!trylock && get(c, lock_class.wait_need) > waitMin) reportWaitContext(held);
  const wanted = USAGE_OF_ACQUIRE[state + (trylock ? IRQ_STATES : 0) + (read !== 0 ? 2 * IRQ_STATES : 0)] as number;
  mark_usage(held, checked ? wanted : wanted & USED_BITS);
  if (nest !== NULL && !lock_is_held(nest)) reportNestNotHeld(held, nest);
  if (!trylock && checked) {
    set(curr, task_struct.chain_lookup_misses, get(curr, task_struct.chain_lookup_misses) + 1);
    validate_chain(curr, depth, lo, hi);
  }
  set(curr, task_struct.chain_key_lo, lo);
  set(curr, task_struct.chain_key_hi, hi);
  set(curr, task_struct.lockdep_depth, depth + 1);
  raise(MAX_LOCKDEP_DEPTH, depth + 1);
}

/** The whole of a release: nested references, pins, and putting back what was taken later. */
export function __lock_release(curr: Ptr<'task_struct'>, map: Ptr<'lockdep_map'>): void {
  const depth = get(curr, task_struct.lockdep_depth);
  const i = find_held_lock(curr, map);
  if (i < 0) {
    reportUnlockImbalance(map);
    return;
  }
  const held = heldLock(curr, i);
  if (get(held, held_lock.references) > 0) {
    set(held, held_lock.references, get(held, held_lock.references) - 1);
    if (get(held, held_lock.references) > 0) return;
  }
  if (get(held, held_lock.pin_count) !== 0) reportWarning('pinned-lock', 'releasing a pinned lock', false);
  popEntry(curr, held, i);
  if (i < depth - 1) reacquire_held_locks(curr, i + 1, depth);
}

/** Ends the stack below entry `i`. */
function popEntry(curr: Ptr<'task_struct'>, held: Ptr<'held_lock'>, i: number): void {
  set(curr, task_struct.chain_key_lo, get(held, held_lock.prev_chain_lo));
  set(curr, task_struct.chain_key_hi, get(held, held_lock.prev_chain_hi));
  set(curr, task_struct.lockdep_depth, i);
  set(held, held_lock.nest_lock, NULL);
  set(held, held_lock.references, 0);
  set(held, held_lock.pin_count, 0);
}

/** Takes entries `from` to `depth` - 1 again, on top of what is held: the order of holding has changed. */
function reacquire_held_locks(curr: Ptr<'task_struct'>, from: number, depth: number): void {
  const state = get(curr, task_struct.irq_state);
  for (let i = from; i < depth; i++) {
    const held = heldLock(curr, i);
    const map = get(held, held_lock.instance);
    const subclass = get(held, held_lock.subclass);
    const flags = get(held, held_lock.flags);
    const fn = get(held, held_lock.acquire_fn);
    const nest = get(held, held_lock.nest_lock);
    const references = get(held, held_lock.references);
    const pins = get(held, held_lock.pin_count);
    set(held, held_lock.nest_lock, NULL);
    set(held, held_lock.references, 0);
    set(held, held_lock.pin_count, 0);
    // As it was when it was taken: interrupts may have been switched since.
    set(curr, task_struct.irq_state, (state & ~IRQ_HARD_OFF) | ((flags & HELD_HARDIRQS_OFF) !== 0 ? IRQ_HARD_OFF : 0));
    const plain = nest === NULL && references === 0 && pins === 0;
    if (plain && acquireKnown(curr, map, subclass, flags, fn)) continue;
    graph_lock();
    try {
      __lock_acquire(curr, map, subclass, flags, nest, fn, references, pins);
    } finally {
      graph_unlock();
    }
  }
  set(curr, task_struct.irq_state, state);
}
