/**
 * The dependency graph: who was taken while what was held, and searches over it (kernel/locking/lockdep.c and
 * Documentation/locking/lockdep-design.rst, Linux 6.1).
 *
 * A dependency A -> B has up to four types: A held exclusively (E) or shared (S), B taken recursively (R) or not (N).
 * A path is strong when it nowhere goes in by R only and out from S only: only strong paths can deadlock. So a search
 * visits pairs of a class and "entered by R only"; a class first reached weakly is visited again when it is reached strongly.
 *
 * All of this runs under the graph lock. Search memory is private to the thread.
 * @notrace
 */

import { NULL, type Ptr } from '../../../machine/layout.ts';
import { get, set } from '../../../machine/plain.ts';
import {
  bump,
  counted,
  LIST_ENTRIES,
  lock_class,
  lock_list,
  lockClass,
  MAX_BFS_QUEUE,
  MAX_LOCKDEP_ENTRIES,
  MAX_LOCKDEP_KEYS,
  NR_LIST_ENTRIES,
  raise,
} from './internals.ts';
import { reportLimit } from './report-limits.ts';
import { LD_LOCK_NORMAL } from './types.ts';

export const DEP_EN = 1;
export const DEP_ER = 2;
export const DEP_SN = 4;
export const DEP_SR = 8;
const FROM_EXCLUSIVE = DEP_EN | DEP_ER;
const INTO_NON_RECURSIVE = DEP_EN | DEP_SN;
const ALL_TYPES = 15;

/** Type of the dependency between a lock held in mode `prev` and one taken in mode `next` (0, 1, 2 as in held_lock.flags). */
export function dependencyType(prev: number, next: number): number {
  if (prev === 0) return next === 2 ? DEP_ER : DEP_EN;
  return next === 2 ? DEP_SR : DEP_SN;
}

const STATES = 2 * (MAX_LOCKDEP_KEYS + 1);
/** Generation in which a pair (class * 2 + weak) was queued. */
const queuedIn = new Int32Array(STATES);
const queueState = new Int32Array(STATES);
const queueParent = new Int32Array(STATES);
const queueEdge = new Int32Array(STATES);
let generation = 0;

/** Tells whether a visited class is what is looked for. `weak`: entered by R only (forward) or left from S only (backward). */
export type Match = (idx: number, weak: boolean) => boolean;

/**
 * Breadth first from class `start`; the start itself is matched too.
 * @param weak  the start counts as entered by R only (forward) or left from S only (backward)
 * @param skipPerCpu  classes with an instance per CPU are neither matched nor walked through
 * @returns index into the queue for {@link pathTo}, -1 when nothing matched
 */
export function search(start: number, weak: boolean, forward: boolean, skipPerCpu: boolean, match: Match): number {
  generation++;
  let tail = 1;
  queueState[0] = start * 2 + (weak ? 1 : 0);
  queueParent[0] = -1;
  queueEdge[0] = 0;
  queuedIn[queueState[0] as number] = generation;
  for (let head = 0; head < tail; head++) {
    const state = queueState[head] as number;
    const idx = state >> 1;
    const isWeak = (state & 1) !== 0;
    const c = lockClass(idx);
    if (skipPerCpu && get(c, lock_class.lock_type) !== LD_LOCK_NORMAL) continue;
    if (match(idx, isWeak)) return head;
    const goesOn = forward ? FROM_EXCLUSIVE : INTO_NON_RECURSIVE;
    const staysStrong = forward ? INTO_NON_RECURSIVE : FROM_EXCLUSIVE;
    let edge = get(c, forward ? lock_class.locks_after : lock_class.locks_before);
    for (; edge !== NULL; edge = get(edge, lock_list.next)) {
      const types = get(edge, lock_list.dep) & (isWeak ? goesOn : ALL_TYPES);
      if (types === 0) continue;
      const strongly = get(edge, lock_list.class_idx) * 2;
      const to = (types & staysStrong) !== 0 ? strongly : strongly + 1;
      if (queuedIn[strongly] === generation || queuedIn[to] === generation) continue;
      queuedIn[to] = generation;
      queueState[tail] = to;
      queueParent[tail] = head;
      queueEdge[tail] = edge;
      tail++;
    }
    raise(MAX_BFS_QUEUE, tail - head - 1);
  }
  return -1;
}

/** A step of a path: the class and the list entry that led to it (NULL for the start). */
export interface PathStep {
  idx: number;
  edge: Ptr<'lock_list'>;
}

/** The path of the last {@link search} from its start to queue index `found`, both included. */
export function pathTo(found: number): PathStep[] {
  const out: PathStep[] = [];
  for (let at = found; at >= 0; at = queueParent[at] as number) {
    out.push({ idx: (queueState[at] as number) >> 1, edge: queueEdge[at] as Ptr<'lock_list'> });
  }
  return out.reverse();
}

/** Was the last match of {@link search} weak? */
export function foundWeak(found: number): boolean {
  return ((queueState[found] as number) & 1) !== 0;
}

/** The entry for `to` in a list, or NULL. */
export function findEntry(list: Ptr<'lock_list'>, to: number): Ptr<'lock_list'> {
  let entry = list;
  while (entry !== NULL && get(entry, lock_list.class_idx) !== to) entry = get(entry, lock_list.next);
  return entry;
}

/** Appends one half of a dependency to a list of a class. */
function addHalf(idx: number, head: typeof lock_class.locks_after, other: number, dep: number, distance: number, trace: number): void {
  const entry = (LIST_ENTRIES + bump(NR_LIST_ENTRIES) * lock_list.SIZE) as Ptr<'lock_list'>;
  set(entry, lock_list.class_idx, other);
  set(entry, lock_list.dep, dep);
  set(entry, lock_list.distance, distance);
  set(entry, lock_list.trace, trace);
  let last = get(lockClass(idx), head);
  if (last === NULL) {
    set(lockClass(idx), head, entry);
    return;
  }
  while (get(last, lock_list.next) !== NULL) last = get(last, lock_list.next);
  set(last, lock_list.next, entry);
}

/**
 * Adds the dependency prev -> next, or its type and distance to the one that is there.
 * @returns false after a report that the table is full
 */
export function addDependency(prev: number, next: number, dep: number, distance: number, trace: number): boolean {
  const after = findEntry(get(lockClass(prev), lock_class.locks_after), next);
  if (after !== NULL) {
    const before = findEntry(get(lockClass(next), lock_class.locks_before), prev);
    for (const entry of [after, before]) {
      set(entry, lock_list.dep, get(entry, lock_list.dep) | dep);
      if (distance < get(entry, lock_list.distance)) set(entry, lock_list.distance, distance);
    }
    return true;
  }
  if (counted(NR_LIST_ENTRIES) + 2 > MAX_LOCKDEP_ENTRIES) {
    reportLimit('MAX_LOCKDEP_ENTRIES');
    return false;
  }
  addHalf(prev, lock_class.locks_after, next, dep, distance, trace);
  addHalf(next, lock_class.locks_before, prev, dep, distance, trace);
  return true;
}

/** Does the dependency prev -> next with this type exist? */
export function hasDependency(prev: number, next: number, dep: number): boolean {
  const entry = findEntry(get(lockClass(prev), lock_class.locks_after), next);
  return entry !== NULL && (get(entry, lock_list.dep) & dep) !== 0;
}
