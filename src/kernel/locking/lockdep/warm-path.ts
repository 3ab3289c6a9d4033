/**
 * The warm path of an acquire: what was validated before costs one look at the class and one at the chain cache, takes no lock and
 * writes nothing that other tasks read. @notrace
 */
import { NULL, type Ptr } from '../../../machine/layout.ts';
import { i32 as arenaWords } from '../../../machine/memory.ts';
import { get, set } from '../../../machine/plain.ts';
import {
  HELD_CHECK,
  HELD_CONTEXT_MASK,
  HELD_HARDIRQS_OFF,
  HELD_READ_MASK,
  HELD_TRYLOCK,
  held_lock,
  MAX_LOCK_DEPTH,
  task_struct,
} from '../../include/task_struct.ts';
import { IRQ_HARD_OFF, IRQ_STATES } from '../../irqflags.ts';
import { chainHigh, chainLow, lookup_chain_cache } from './chains.ts';
import { USAGE_OF_ACQUIRE, WAIT_OF_CONTEXT } from './contexts.ts';
import { CLASS_BITS, countOp, DEBUG_LOCKS, LOCK_CLASSES, lock_chain, lock_class } from './internals.ts';
import { LOCK_USED } from './names.ts';
import { lockdep_map } from './types.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;
const DEBUG_LOCKS_WORD = DEBUG_LOCKS >> 2;
const CLASS_BASE = LOCK_CLASSES;
/** Bits that an acquire without checks sets. */
const USED_BITS = 3 << LOCK_USED;

/**
 * Puts a lock without nest lock on the held stack if nothing about it is new: class, usage, wait context, chain.
 * @param flags  mode, HELD_TRYLOCK, HELD_CHECK; other bits are not looked at
 * @param fn  who takes it
 * @returns false when it must be validated; then nothing has changed. True as well while the validator is off
 */
export function acquireKnown(curr: Ptr<'task_struct'>, map: Ptr<'lockdep_map'>, subclass: number, flags: number, fn: number): boolean {
  if (i32[DEBUG_LOCKS_WORD] === 0) return true;
  const depth = get(curr, task_struct.lockdep_depth);
  const idx = subclass === 0 ? get(map, lockdep_map.class_cache0) : subclass === 1 ? get(map, lockdep_map.class_cache1) : 0;
  if (idx === 0 || depth >= MAX_LOCK_DEPTH) return false;
  const read = flags & HELD_READ_MASK;
  const checked = (flags & HELD_CHECK) !== 0;
  const trylock = (flags & HELD_TRYLOCK) !== 0;
  const state = get(curr, task_struct.irq_state);
  const lockClassAt = (CLASS_BASE + idx * lock_class.SIZE) as Ptr<'lock_class'>;
  let wanted = USAGE_OF_ACQUIRE[state + (trylock ? IRQ_STATES : 0) + (read !== 0 ? 2 * IRQ_STATES : 0)] as number;
  if (!checked) wanted &= USED_BITS;
  if ((wanted & ~get(lockClassAt, lock_class.clean_usage)) !== 0) return false;
  const context = (state & 12) << 2;
  const held = (curr + task_struct.held_locks + depth * held_lock.SIZE) as unknown as Ptr<'held_lock'>;
  const under = (held - held_lock.SIZE) as unknown as Ptr<'held_lock'>;
  // The first lock of its interrupt context begins a chain of its own.
  const head = depth === 0 || (get(under, held_lock.flags) & HELD_CONTEXT_MASK) !== context;
  const waitMin = head ? (WAIT_OF_CONTEXT[state] as number) : get(under, held_lock.wait_min);
  if (!trylock && get(lockClassAt, lock_class.wait_need) > waitMin) return false;
  const id = idx | (read << CLASS_BITS);
  const oldLo = get(curr, task_struct.chain_key_lo);
  const oldHi = get(curr, task_struct.chain_key_hi);
  const lo = chainLow(head ? 0 : oldLo, id);
  const hi = chainHigh(head ? 0 : oldHi, id, lo);
  if (!trylock && checked) {
    const chain = lookup_chain_cache(lo, hi);
    if (chain === NULL || get(chain, lock_chain.bad) !== 0) return false;
    set(curr, task_struct.chain_lookup_hits, get(curr, task_struct.chain_lookup_hits) + 1);
  }
  const inner = get(lockClassAt, lock_class.wait_type_inner);
  set(held, held_lock.instance, map);
  set(held, held_lock.class_idx, idx);
  const mode = flags & (HELD_READ_MASK | HELD_TRYLOCK | HELD_CHECK);
  set(held, held_lock.flags, mode | context | ((state & IRQ_HARD_OFF) * HELD_HARDIRQS_OFF));
  set(held, held_lock.acquire_fn, fn);
  set(held, held_lock.prev_chain_lo, oldLo);
  set(held, held_lock.prev_chain_hi, oldHi);
  set(held, held_lock.wait_min, inner !== 0 && inner < waitMin ? inner : waitMin);
  set(held, held_lock.subclass, subclass);
  set(curr, task_struct.chain_key_lo, lo);
  set(curr, task_struct.chain_key_hi, hi);
  set(curr, task_struct.lockdep_depth, depth + 1);
  countOp(curr, idx);
  return true;
}
