/** What locks carry for the validator. Follows include/linux/lockdep_types.h of Linux 6.1. @notrace */

import { type Ptr, pointer, struct, word } from '../../../machine/layout.ts';
import { staticStorage } from '../../../machine/memory.ts';
import { set } from '../../../machine/plain.ts';

/** Wait types: how deep a lock may make its taker wait (values with PROVE_RAW_LOCK_NESTING). */
export const LD_WAIT_INV = 0;
export const LD_WAIT_FREE = 1;
export const LD_WAIT_SPIN = 2;
export const LD_WAIT_CONFIG = 3;
export const LD_WAIT_SLEEP = 4;
export const LD_WAIT_MAX = 5;

export const LD_LOCK_NORMAL = 0;
/** One instance per CPU: an interrupt on another CPU takes another instance. */
export const LD_LOCK_PERCPU = 1;

/** Classes of one key: subclass 0 to 7, for the `_nested` forms. */
export const MAX_LOCKDEP_SUBCLASSES = 8;

/** A lock's name and class key for the validator; one inside each lock. */
export const lockdep_map = struct('lockdep_map', {
  /** NULL: never initialised. {@link lockdep_no_validate}: no graph for this lock. */
  key: pointer('lock_class_key'),
  /** Class numbers of subclass 0 and 1, 0 when not known yet: a cache that only the validator reads and writes. */
  class_cache0: word,
  class_cache1: word,
  /** Number of the name (text.ts). */
  name: word,
  wait_type_outer: word,
  wait_type_inner: word,
  lock_type: word,
  /** Number of the lock in traces: an OBJ_* of kernel/trace/vocabulary.ts. */
  trace_object: word,
});

/**
 * A class of locks begins with a key: its address is the identity. Ours also remembers the classes of subclass 0 and 1,
 * so that a fresh lock of a known class need not look it up.
 */
export const lock_class_key = struct('lock_class_key', { class0: word, class1: word }, 8);

/** The static key `name`; the same address in every thread. */
export function staticKey(name: string): Ptr<'lock_class_key'> {
  return staticStorage(`key:${name}`, lock_class_key.SIZE, 8).address as Ptr<'lock_class_key'>;
}

/** The key of locks that are kept out of the graph (lockdep_set_novalidate_class). */
export const lockdep_no_validate: Ptr<'lock_class_key'> = staticKey('__lockdep_no_validate__');

/** Maps of locks that live as long as the machine. */
const staticMaps = new Set<Ptr<'lockdep_map'>>();

/** Remembers the map of a static lock, so that it can be told when all classes are forgotten. */
export function rememberStaticMap(map: Ptr<'lockdep_map'>): void {
  staticMaps.add(map);
}

/** Makes all static locks look their class up again. */
export function forgetCachedClasses(): void {
  for (const map of staticMaps) {
    set(map, lockdep_map.class_cache0, 0);
    set(map, lockdep_map.class_cache1, 0);
  }
}
