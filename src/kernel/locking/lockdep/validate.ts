/**
 * Validating a chain that was not seen before: same class twice, cycles, interrupt safety; then its dependencies are added.
 * @notrace
 */

import { NULL, type Ptr } from '../../../machine/layout.ts';
import { get, set } from '../../../machine/plain.ts';
import {
  HELD_CHECK,
  HELD_CONTEXT_MASK,
  HELD_CONTEXT_SHIFT,
  HELD_READ_MASK,
  HELD_TRYLOCK,
  held_lock,
  heldLock,
} from '../../include/task_struct.ts';
import { add_chain_cache, lookup_chain_cache } from './chains.ts';
import { addDependency, dependencyType, hasDependency, search } from './graph.ts';
import { bump, CLASS_BITS, lock_chain, NR_CYCLIC_CHECKS } from './internals.ts';
import { reportCircular, reportRecursive } from './report-circular.ts';
import { save_trace } from './stack-trace.ts';
import { check_irq_usage } from './usage.ts';

/** Entry of a chain for a held lock: class and mode. The cache key must tell modes apart. */
export function hlock_id(classIdx: number, read: number): number {
  return classIdx | (read << CLASS_BITS);
}

/** What {@link check_deadlock} found. */
const FINE = 0;
const REPORTED = 1;
/** Same class, but under a common nest lock: fine, and no dependencies. */
const NESTED = 2;

/** Is a lock of the same class held that the new one (entry `depth`) could wait for? */
function check_deadlock(curr: Ptr<'task_struct'>, depth: number): number {
  const next = heldLock(curr, depth);
  const nextMode = get(next, held_lock.flags) & HELD_READ_MASK;
  const nestLock = get(next, held_lock.nest_lock);
  let nested = false;
  for (let i = 0; i < depth; i++) {
    const prev = heldLock(curr, i);
    if (nestLock !== NULL && get(prev, held_lock.instance) === nestLock) nested = true;
    if (get(prev, held_lock.class_idx) !== get(next, held_lock.class_idx)) continue;
    // A recursive reader gets in beside any reader.
    if (nextMode === 2 && (get(prev, held_lock.flags) & HELD_READ_MASK) !== 0) continue;
    if (nested) return NESTED;
    reportRecursive(curr, prev, next);
    return REPORTED;
  }
  return FINE;
}

/** Would prev -> next close a strong cycle? Reports it. */
function check_noncircular(prev: Ptr<'held_lock'>, next: Ptr<'held_lock'>): boolean {
  const target = get(prev, held_lock.class_idx);
  const prevShared = (get(prev, held_lock.flags) & HELD_READ_MASK) !== 0;
  const nextRecursive = (get(next, held_lock.flags) & HELD_READ_MASK) === 2;
  bump(NR_CYCLIC_CHECKS);
  const found = search(get(next, held_lock.class_idx), nextRecursive, true, false, (idx, weak) => idx === target && !(prevShared && weak));
  if (found < 0) return true;
  reportCircular(prev, next, found);
  return false;
}

/** Checks and adds one dependency; false after a report. */
function check_prev_add(prev: Ptr<'held_lock'>, next: Ptr<'held_lock'>, distance: number): boolean {
  const from = get(prev, held_lock.class_idx);
  const to = get(next, held_lock.class_idx);
  const dep = dependencyType(get(prev, held_lock.flags) & HELD_READ_MASK, get(next, held_lock.flags) & HELD_READ_MASK);
  // Known with this type: checked when it was added, and every later dependency was checked against it.
  if (hasDependency(from, to, dep)) return addDependency(from, to, dep, distance, 0);
  if (!check_noncircular(prev, next)) return false;
  if (!check_irq_usage(prev, next)) return false;
  return addDependency(from, to, dep, distance, save_trace());
}

/**
 * Adds the dependencies of entry `depth` on those below it in the same interrupt context: back over trylocks, to and
 * including the first that was waited for. What is below that is connected through it.
 */
function check_prevs_add(curr: Ptr<'task_struct'>, depth: number): boolean {
  const next = heldLock(curr, depth);
  const context = get(next, held_lock.flags) & HELD_CONTEXT_MASK;
  let fine = true;
  for (let i = depth - 1; i >= 0; i--) {
    const prev = heldLock(curr, i);
    const flags = get(prev, held_lock.flags);
    if ((flags & HELD_CONTEXT_MASK) !== context) break;
    if ((flags & HELD_CHECK) === 0) continue;
    if (!check_prev_add(prev, next, depth - i)) fine = false;
    if ((flags & HELD_TRYLOCK) === 0) break;
  }
  return fine;
}

/** Entries of the chain that ends with held entry `depth`, outermost first. */
function chainIds(curr: Ptr<'task_struct'>, depth: number): number[] {
  const context = get(heldLock(curr, depth), held_lock.flags) & HELD_CONTEXT_MASK;
  const out: number[] = [];
  for (let i = depth; i >= 0; i--) {
    const held = heldLock(curr, i);
    const flags = get(held, held_lock.flags);
    if ((flags & HELD_CONTEXT_MASK) !== context) break;
    out.push(hlock_id(get(held, held_lock.class_idx), flags & HELD_READ_MASK));
  }
  return out.reverse();
}

/**
 * Validates the chain that ends with held entry `depth`, unless the cache knows it as good. Must hold the graph lock.
 * @param lo  its key
 */
export function validate_chain(curr: Ptr<'task_struct'>, depth: number, lo: number, hi: number): void {
  let chain = lookup_chain_cache(lo, hi);
  if (chain !== NULL && get(chain, lock_chain.bad) === 0) return;
  if (chain === NULL) {
    const context = (get(heldLock(curr, depth), held_lock.flags) & HELD_CONTEXT_MASK) >> HELD_CONTEXT_SHIFT;
    chain = add_chain_cache(lo, hi, context, chainIds(curr, depth));
  }
  const verdict = check_deadlock(curr, depth);
  let fine = verdict !== REPORTED;
  if (verdict === FINE && !check_prevs_add(curr, depth)) fine = false;
  if (chain !== NULL) set(chain, lock_chain.bad, fine ? 0 : 1);
}
