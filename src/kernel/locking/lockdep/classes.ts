/**
 * Lock classes: a class is a key and a subclass; all locks initialised with that key are instances of it.
 * @notrace
 */

import { NULL, type Ptr } from '../../../machine/layout.ts';
import { i32 as arenaWords } from '../../../machine/memory.ts';
import { get, set } from '../../../machine/plain.ts';
import {
  bump,
  CLASSHASH,
  CLASSHASH_SIZE,
  counted,
  LOCK_CLASSES,
  lock_class,
  lockClass,
  MAX_LOCKDEP_KEYS,
  NR_CLASSES,
} from './internals.ts';
import { reportLimit, reportNonStaticKey } from './report-limits.ts';
import { lock_class_key, lockdep_map, lockdep_no_validate } from './types.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** Hash bucket of a key and subclass, a word index. */
function bucketOf(key: Ptr<'lock_class_key'>, subclass: number): number {
  const hash = Math.imul((key >> 3) + (subclass << 20), 0x9e3779b1);
  return (CLASSHASH >> 2) + ((hash >>> 8) & (CLASSHASH_SIZE - 1));
}

/** Number of the class of a key and subclass, 0 when there is none yet. */
export function look_up_lock_class(key: Ptr<'lock_class_key'>, subclass: number): number {
  for (let c = i32[bucketOf(key, subclass)] as Ptr<'lock_class'>; c !== NULL; c = get(c, lock_class.hash_next)) {
    if (get(c, lock_class.key) === key && get(c, lock_class.subclass) === subclass) return (c - LOCK_CLASSES) / lock_class.SIZE;
  }
  return 0;
}

/** Remembers in the lock (and in its key) which class it is of. */
function cacheClass(map: Ptr<'lockdep_map'>, key: Ptr<'lock_class_key'>, subclass: number, idx: number): void {
  if (key === lockdep_no_validate) return;
  if (subclass === 0) {
    set(map, lockdep_map.class_cache0, idx);
    set(key, lock_class_key.class0, idx);
  } else if (subclass === 1) {
    set(map, lockdep_map.class_cache1, idx);
    set(key, lock_class_key.class1, idx);
  }
}

/** Versions of names by name, so that registering many classes stays linear; private, rebuilt from the table when needed. */
const nameCounts = new Map<number, number>();
let namesSeen = 0;

function nextNameVersion(name: number): number {
  const classes = counted(NR_CLASSES);
  if (classes < namesSeen) {
    nameCounts.clear();
    namesSeen = 0;
  }
  for (; namesSeen < classes; namesSeen++) {
    const seen = get(lockClass(namesSeen + 1), lock_class.name);
    nameCounts.set(seen, (nameCounts.get(seen) ?? 0) + 1);
  }
  return (nameCounts.get(name) ?? 0) + 1;
}

/**
 * The class of a lock for a subclass; made when new. Must hold the graph lock.
 * @returns its number, 0 after a report that no class can be given
 */
export function register_lock_class(map: Ptr<'lockdep_map'>, subclass: number): number {
  const key = get(map, lockdep_map.key);
  if (key === NULL) {
    reportNonStaticKey();
    return 0;
  }
  let idx = look_up_lock_class(key, subclass);
  if (idx === 0) {
    if (counted(NR_CLASSES) >= MAX_LOCKDEP_KEYS) {
      reportLimit('MAX_LOCKDEP_KEYS');
      return 0;
    }
    idx = counted(NR_CLASSES) + 1;
    const c = lockClass(idx);
    const inner = get(map, lockdep_map.wait_type_inner);
    const outer = get(map, lockdep_map.wait_type_outer);
    set(c, lock_class.key, key);
    set(c, lock_class.subclass, subclass);
    set(c, lock_class.name, get(map, lockdep_map.name));
    set(c, lock_class.name_version, nextNameVersion(get(map, lockdep_map.name)));
    set(c, lock_class.wait_type_inner, inner);
    set(c, lock_class.wait_type_outer, outer);
    set(c, lock_class.wait_need, inner === 0 ? 0 : outer || inner);
    set(c, lock_class.lock_type, get(map, lockdep_map.lock_type));
    const bucket = bucketOf(key, subclass);
    set(c, lock_class.hash_next, i32[bucket] as Ptr<'lock_class'>);
    bump(NR_CLASSES);
    // Pairs with the plain loads in look_up_lock_class: a class is whole before it can be found.
    Atomics.store(i32, bucket, c);
  }
  cacheClass(map, key, subclass, idx);
  return idx;
}
