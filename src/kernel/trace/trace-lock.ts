/** Tracepoints of locks: called by each lock after it was taken and before it is given up. @notrace */
import { announceSync, isHeard } from '../../machine/announce.ts';
import type { Ptr } from '../../machine/layout.ts';
import { get } from '../../machine/plain.ts';
import { lockdep_map } from '../locking/lockdep/types.ts';
import { EV_LOCK, EV_RLOCK, EV_RUNLOCK, EV_UNLOCK } from './vocabulary.ts';

/** Taken for write or exclusively. @inline */
export function trace_lock(map: Ptr<'lockdep_map'>): void {
  if (isHeard(EV_LOCK)) announceSync(EV_LOCK, get(map, lockdep_map.trace_object), map, 0, map);
}
/** About to be released (write). @inline */
export function trace_unlock(map: Ptr<'lockdep_map'>): void {
  if (isHeard(EV_UNLOCK)) announceSync(EV_UNLOCK, get(map, lockdep_map.trace_object), map, 0, map);
}
/** Taken for read. @inline */
export function trace_rlock(map: Ptr<'lockdep_map'>): void {
  if (isHeard(EV_RLOCK)) announceSync(EV_RLOCK, get(map, lockdep_map.trace_object), map, 0, map);
}
/** About to be released (read). @inline */
export function trace_runlock(map: Ptr<'lockdep_map'>): void {
  if (isHeard(EV_RUNLOCK)) announceSync(EV_RUNLOCK, get(map, lockdep_map.trace_object), map, 0, map);
}
