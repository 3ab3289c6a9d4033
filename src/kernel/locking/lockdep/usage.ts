/**
 * Usage of lock classes with respect to interrupts, and what contradicts what.
 *
 * Per class one bit each for: taken in an interrupt (IN), taken with that interrupt on (ON), for hard and soft
 * interrupts, for write and for read. A lock that is IN and one that is ON may deadlock when the interrupt comes.
 * @notrace
 */

import type { Ptr } from '../../../machine/layout.ts';
import { i32 as arenaWords } from '../../../machine/memory.ts';
import { get, set } from '../../../machine/plain.ts';
import { HELD_READ_MASK, held_lock } from '../../include/task_struct.ts';
import { foundWeak, type PathStep, pathTo, search } from './graph.ts';
import { bump, lock_class, lockClass, NR_FIND_BACKWARDS, NR_FIND_FORWARDS } from './internals.ts';
import { DIRECTION, LOCK_USED, LOCK_USED_READ, READ } from './names.ts';
import { reportIrqInversion, reportSafeToUnsafe, reportUsage } from './report-irq.ts';
import { save_trace } from './stack-trace.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** Masks over the bits above. */
export const WRITE_BITS = 0x55;
export const READ_BITS = 0xaa;
export const USED_IN_BITS = 0x33;
export const ENABLED_BITS = 0xcc;

/** The order in which new bits of one acquire are looked at. */
const MARK_ORDER = [0, 1, 4, 5, 2, 3, 6, 7, LOCK_USED, LOCK_USED_READ];

/** The bit that contradicts `bit`, for write: the other direction of the same interrupt. */
export function exclusive_bit(bit: number): number {
  return (bit & ~READ) ^ DIRECTION;
}

/** All bits that contradict one of `mask` on another lock, write and read. */
export function exclusive_mask(mask: number): number {
  const write = (mask | (mask >> READ)) & WRITE_BITS;
  const other = ((write & USED_IN_BITS) << DIRECTION) | ((write & ENABLED_BITS) >> DIRECTION);
  return other | (other << READ);
}

/** Usage that counts at the end of a path: read usage does not on a weak one. */
function countedUsage(idx: number, weak: boolean): number {
  const usage = get(lockClass(idx), lock_class.usage_mask);
  return weak ? usage & WRITE_BITS : usage;
}

/** Has the class another bit that contradicts the new one? Reports it. */
function validState(hlock: Ptr<'held_lock'>, bit: number, against: number): boolean {
  if ((get(lockClass(get(hlock, held_lock.class_idx)), lock_class.usage_mask) & (1 << against)) === 0) return true;
  reportUsage(hlock, against, bit);
  return false;
}

/**
 * Looks for a class that the new usage contradicts: forward from a lock newly taken in an interrupt (did it ever take
 * one that is held with the interrupt on?), backward from one newly taken with it on (did one that is taken in it take this one?).
 */
function checkReach(hlock: Ptr<'held_lock'>, bit: number): boolean {
  const forward = (bit & DIRECTION) === 0;
  const mode = get(hlock, held_lock.flags) & HELD_READ_MASK;
  const start = get(hlock, held_lock.class_idx);
  const excluded = exclusive_bit(bit);
  const mask = (1 << excluded) | (1 << (excluded + READ));
  bump(forward ? NR_FIND_FORWARDS : NR_FIND_BACKWARDS);
  const weak = forward ? mode === 2 : mode !== 0;
  const found = search(start, weak, forward, true, (idx, isWeak) => idx !== start && (countedUsage(idx, isWeak) & mask) !== 0);
  if (found < 0) return true;
  reportIrqInversion(hlock, bit, found, forward);
  return false;
}

/** Checks a new usage bit of a class; false after a report. */
function mark_lock_irq(hlock: Ptr<'held_lock'>, bit: number): boolean {
  const excluded = exclusive_bit(bit);
  if (!validState(hlock, bit, excluded)) return false;
  // Two reads do not contradict each other on the same lock.
  if ((bit & READ) === 0 && !validState(hlock, bit, excluded + READ)) return false;
  return checkReach(hlock, bit);
}

/**
 * Adds a usage bit to the class of a held lock and checks it. Must hold the graph lock.
 * A bit that gave a report stays out of `clean_usage`, so it is checked, and counted, each time it comes again.
 */
export function mark_lock(hlock: Ptr<'held_lock'>, bit: number): void {
  const c = lockClass(get(hlock, held_lock.class_idx));
  if ((get(c, lock_class.clean_usage) & (1 << bit)) !== 0) return;
  if ((get(c, lock_class.usage_mask) & (1 << bit)) === 0) {
    set(c, lock_class.usage_mask, get(c, lock_class.usage_mask) | (1 << bit));
    i32[((c + lock_class.usage_traces) >> 2) + bit] = save_trace();
  }
  if (bit >= LOCK_USED || mark_lock_irq(hlock, bit)) set(c, lock_class.clean_usage, get(c, lock_class.clean_usage) | (1 << bit));
}

/** Adds all bits of `wanted` that are new. Must hold the graph lock. */
export function mark_usage(hlock: Ptr<'held_lock'>, wanted: number): void {
  for (const bit of MARK_ORDER) if ((wanted & (1 << bit)) !== 0) mark_lock(hlock, bit);
}

/**
 * Checks a new dependency between two held locks: does it connect a lock that is taken in an interrupt with one that is
 * held while that interrupt may come? False after a report.
 */
export function check_irq_usage(prev: Ptr<'held_lock'>, next: Ptr<'held_lock'>): boolean {
  const prevWeak = (get(prev, held_lock.flags) & HELD_READ_MASK) !== 0;
  const nextWeak = (get(next, held_lock.flags) & HELD_READ_MASK) === 2;
  let usedIn = 0;
  bump(NR_FIND_BACKWARDS);
  search(get(prev, held_lock.class_idx), prevWeak, false, true, (idx, weak) => {
    usedIn |= countedUsage(idx, weak) & USED_IN_BITS;
    return false;
  });
  if (usedIn === 0) return true;
  const forwardMask = exclusive_mask(usedIn);
  bump(NR_FIND_FORWARDS);
  const unsafeAt = search(
    get(next, held_lock.class_idx),
    nextWeak,
    true,
    true,
    (idx, weak) => (countedUsage(idx, weak) & forwardMask) !== 0,
  );
  if (unsafeAt < 0) return true;
  const unsafe = pathTo(unsafeAt);
  const unsafeBits = countedUsage((unsafe.at(-1) as PathStep).idx, foundWeak(unsafeAt)) & ENABLED_BITS;
  const backwardMask = exclusive_mask(unsafeBits);
  let safeBits = 0;
  const safeAt = search(get(prev, held_lock.class_idx), prevWeak, false, true, (idx, weak) => {
    safeBits = countedUsage(idx, weak) & backwardMask;
    return safeBits !== 0;
  });
  const safeBit = lowestBit(safeBits);
  const unsafeBit = lowestBit(unsafeBits & exclusive_mask(1 << safeBit));
  reportSafeToUnsafe(prev, next, { safe: pathTo(safeAt), safeBit, unsafe, unsafeBit });
  return false;
}

/** Number of the lowest bit set. */
function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
