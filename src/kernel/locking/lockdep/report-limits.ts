/**
 * Reports that the validator gives up: a table is full, a lock has no class.
 * @notrace
 */
import { get } from '../../../machine/plain.ts';
import { current, MAX_LOCK_DEPTH, task_struct } from '../../include/task_struct.ts';
import { debug_locks_off } from './internals.ts';
import { fileReport } from './report.ts';
import { dump_stack, lockdep_print_held_locks } from './report-text.ts';

const TURNING_OFF = 'turning off the locking correctness validator.';

/**
 * A table is full. Without room for chains the validator goes on, and validates each new chain every time; without room
 * for classes or dependencies it could only be wrong, so it stops.
 * @param limit  the kernel's name of the limit
 */
export function reportLimit(limit: string): void {
  const goesOn = limit.startsWith('MAX_LOCKDEP_CHAIN');
  fileReport('limit-reached', `${limit} too low`, limit, true, () => ({
    lines: [`BUG: ${limit} too low!`, goesOn ? 'new lock chains are validated every time from now on.' : TURNING_OFF, ...dump_stack()],
    details: { limit },
  }));
  if (!goesOn) debug_locks_off();
}

/** The held stack of the current task is full. */
export function reportDepth(): void {
  fileReport('limit-reached', 'MAX_LOCK_DEPTH too low', 'MAX_LOCK_DEPTH', true, () => ({
    lines: [
      'BUG: MAX_LOCK_DEPTH too low!',
      TURNING_OFF,
      `depth: ${get(current(), task_struct.lockdep_depth)}  max: ${MAX_LOCK_DEPTH}!`,
      ...lockdep_print_held_locks(current()),
      ...dump_stack(),
    ],
    details: { limit: 'MAX_LOCK_DEPTH' },
  }));
  debug_locks_off();
}

/** A lock was taken that nobody initialised. It stays unchecked; in mode `stop` the validator goes off. */
export function reportNonStaticKey(): void {
  fileReport('non-static-key', 'trying to register non-static key', '', true, () => ({
    lines: [
      'INFO: trying to register non-static key.',
      'The code is fine but needs lockdep annotation, or maybe',
      "you didn't initialize this object before use?",
      TURNING_OFF,
      ...dump_stack(),
    ],
  }));
}
