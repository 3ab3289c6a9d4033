/**
 * Pins: a lock that must not be given up until it is unpinned, as the scheduler uses them (lockdep_pin_lock, Linux 6.1).
 * @notrace
 */
import { bootOptions } from '../../../machine/boot.ts';
import { NULL, type Ptr } from '../../../machine/layout.ts';
import { get, set } from '../../../machine/plain.ts';
import { current, held_lock, heldLock, task_struct } from '../../include/task_struct.ts';
import { debugLocks } from './internals.ts';
import { reportWarning } from './report-misc.ts';

const LOCKDEP = bootOptions().lockdep !== 'off';

/** The entry of a held lock, or NULL after a report that it is not held. */
function entryOf(map: Ptr<'lockdep_map'>, what: string): Ptr<'held_lock'> {
  const curr = current();
  for (let i = 0; i < get(curr, task_struct.lockdep_depth); i++) {
    if (get(heldLock(curr, i), held_lock.instance) === map) return heldLock(curr, i);
  }
  reportWarning('pinned-lock', what, false);
  return NULL;
}

/** Pins a held lock. @returns the cookie that unpins it */
export function lockdep_pin_lock(map: Ptr<'lockdep_map'>): number {
  if (!LOCKDEP || !debugLocks()) return 0;
  const held = entryOf(map, 'pinning an unheld lock');
  if (held === NULL) return 0;
  const cookie = 1 + (((map >>> 3) ^ get(held, held_lock.pin_count)) & 0xffff);
  set(held, held_lock.pin_count, get(held, held_lock.pin_count) + cookie);
  return cookie;
}

/** Takes a pin back. */
export function lockdep_unpin_lock(map: Ptr<'lockdep_map'>, cookie: number): void {
  if (!LOCKDEP || !debugLocks()) return;
  const held = entryOf(map, 'unpinning an unheld lock');
  if (held === NULL) return;
  const pins = get(held, held_lock.pin_count);
  if (pins < cookie || pins === 0) reportWarning('pinned-lock', pins === 0 ? 'unpinning an unpinned lock' : 'pin count corrupted', false);
  else set(held, held_lock.pin_count, pins - cookie);
}
