/** What locks carry for the validator. Follows include/linux/lockdep_types.h of Linux 6.1. @notrace */

import type { Ptr } from '../../../machine/layout.ts';
import { pointer, struct, word } from '../../../machine/layout.ts';
import { internName, staticStorage } from '../../../machine/memory.ts';

/** Wait types: how deep a lock may make its taker wait (values with PROVE_RAW_LOCK_NESTING). */
export const LD_WAIT_INV = 0;
export const LD_WAIT_FREE = 1;
export const LD_WAIT_SPIN = 2;
export const LD_WAIT_CONFIG = 3;
export const LD_WAIT_SLEEP = 4;
export const LD_WAIT_MAX = 5;

/** A lock's name and class key for the validator; one inside each lock. */
export const lockdep_map = struct('lockdep_map', {
  key: pointer('lock_class_key'),
  /** The class found last, by subclass 0 and 1: a cache that only the validator reads and writes. */
  class_cache0: word,
  class_cache1: word,
  /** Number of the name (internName 'lock'). */
  name: word,
  wait_type_outer: word,
  wait_type_inner: word,
  lock_type: word,
  /** Number of the lock in traces: an OBJ_* of kernel/trace/vocabulary.ts. */
  trace_object: word,
});

/** A class of locks begins with a key: its address is the identity. */
export const lock_class_key = struct('lock_class_key', { subkeys: word, name: word }, 8);

const lockNames: string[] = [];

/** Number of a lock name; the same in every thread. */
export function lockName(name: string): number {
  const id = internName('lock', name);
  lockNames[id] = name;
  return id;
}

/** The name behind a number, if this thread has loaded the module that uses it. */
export function lockNameText(id: number): string {
  return lockNames[id] ?? `lock-${id}`;
}

/** The static key `name`; the same address in every thread. */
export function staticKey(name: string): Ptr<'lock_class_key'> {
  return staticStorage(`key:${name}`, lock_class_key.SIZE, 8).address as Ptr<'lock_class_key'>;
}
