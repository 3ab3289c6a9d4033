/**
 * RCU (kernel/rcu, Linux 6.1): readers that take no lock, and the grace periods that writers wait for.
 *
 * A grace period is over when every read section that was open at its start has been closed. Each task has a word that
 * counts: odd inside a read section, even outside. So a task that is parked, idle or gone without an open section is
 * quiescent by itself, with nothing to report:
 *
 * ```
 *   reader                                writer
 *   word++ (odd)   rcu_read_lock          unlink the old object        rcu_assign_pointer
 *   load pointer   rcu_dereference        read all words               start of the grace period
 *   ... use ...                           wait until each odd word has moved on
 *   word++ (even)  rcu_read_unlock        free the old object
 * ```
 *
 * Either the reader's load sees the new pointer, or its odd word stood there before the writer read the words (both
 * are sequentially consistent atomics).
 * Left out: preemptible read sections, expedited grace periods, the softirq that runs callbacks: a task runs its own
 * callbacks in later calls of call_rcu and in rcu_barrier.
 */
import { bootOptions } from '../machine/boot.ts';
import { get, set } from '../machine/door.ts';
import { EmulatorBug } from '../machine/errors.ts';
import { checkAccess, HEAP_CHECK as HEAP_CHECKED } from '../machine/heap-check.ts';
import { embedArray, type Field, NULL, type PointerTo, type Ptr, pointer, struct, type Word, word } from '../machine/layout.ts';
import { addWord, loadWord } from '../machine/lockword.ts';
import { i32 as arenaWords, internName, staticStorage } from '../machine/memory.ts';
import { get as getOwn, set as setOwn } from '../machine/plain.ts';
import { POINT_RCU, POINT_WRITE, point } from '../machine/points.ts';
import { AREA_INDEX, currentArea, MAX_TASKS } from '../machine/task-area.ts';
import { awaitChange, spinWhile, wakeWord } from '../machine/wait.ts';
import { current, task_struct } from './include/task_struct.ts';
import { rcu_lock_acquire, rcu_lock_map, rcu_lock_release } from './locking/lockdep/rcu-maps.ts';
import { lockdep_rcu_suspicious } from './locking/lockdep/rcu-report.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;
const HEAP_CHECK = HEAP_CHECKED;

const LOCKDEP = bootOptions().lockdep !== 'off';

/** Room in an object that is freed after a grace period. */
export const rcu_head = struct('rcu_head', {
  next: pointer('rcu_head'),
  /** Number of the callback, from {@link rcu_callback}. */
  func: word,
});

const words_of_task = struct('words_of_task', { value: word });

/** What RCU keeps per task. Only the task itself writes it. */
const rcu_data = struct(
  'rcu_data',
  {
    /** Odd inside a read section. Read by all who wait for a grace period. */
    ctr: word,
    /** Callbacks that came after the current grace period of this task began. */
    next_head: pointer('rcu_head'),
    next_count: word,
    /** Callbacks that run when it is over. */
    wait_head: pointer('rcu_head'),
    /** Words of the other tasks when it began. */
    snapshot: embedArray(words_of_task, MAX_TASKS),
  },
  64,
);

/** Callbacks that are gathered before a grace period is begun for them. */
const BATCH = 32;

const datas = staticStorage('rcu_data', MAX_TASKS * rcu_data.SIZE, 64).address;
/** Number of tasks in synchronize_rcu: a reader that leaves wakes them. */
const waiters = staticStorage('rcu_waiters', 64).address as Ptr<'words_of_task'>;

/** @inline */
function dataOf(task: number): Ptr<'rcu_data'> {
  return (datas + task * rcu_data.SIZE) as Ptr<'rcu_data'>;
}
/** @inline */
function myIndex(): number {
  return i32[(currentArea() + AREA_INDEX) >> 2] as number;
}

/** Opens a read section; may be nested. Must not sleep in it. @inline */
export function rcu_read_lock(): void {
  const curr = current();
  const nesting = getOwn(curr, task_struct.rcu_read_lock_nesting);
  setOwn(curr, task_struct.rcu_read_lock_nesting, nesting + 1);
  // Pairs with the loads in snapshot(): see the head of the file.
  if (nesting === 0) {
    const at = (dataOf(myIndex()) + rcu_data.ctr) >> 2;
    Atomics.store(i32, at, (i32[at] as number) + 1);
  }
  if (LOCKDEP) rcu_lock_acquire(rcu_lock_map);
}

/** Closes a read section. @inline */
export function rcu_read_unlock(): void {
  if (LOCKDEP) rcu_lock_release(rcu_lock_map);
  const curr = current();
  const nesting = getOwn(curr, task_struct.rcu_read_lock_nesting) - 1;
  setOwn(curr, task_struct.rcu_read_lock_nesting, nesting);
  if (nesting !== 0) return;
  const data = dataOf(myIndex());
  // A plain store, half the price of the section: it comes after the section's loads, whose values were used before. Whoever
  // waits sees it late at worst; a waiter that is not woken looks again (machine/wait.ts).
  setOwn(data, rcu_data.ctr, getOwn(data, rcu_data.ctr) + 1);
  if (getOwn(waiters, words_of_task.value) !== 0) wakeWord(data, rcu_data.ctr);
}

/** Is an RCU read section of this task open? @inline */
export function rcu_read_lock_held(): boolean {
  return getOwn(current(), task_struct.rcu_read_lock_nesting) !== 0;
}

export function rcu_dereference_check<S extends string, T extends string>(p: Ptr<S>, f: Field<S, PointerTo<T>>, held: boolean): Ptr<T>;
export function rcu_dereference_check<S extends string>(p: Ptr<S>, f: Field<S, Word>, held: boolean): number;
/**
 * Reads an RCU-protected word; reports when neither `held` nor an RCU read section protects it, once per call
 * site and run. Pairs with the store in rcu_assign_pointer. A plain load, as in Linux: what is read through the pointer depends on its
 * value, and that orders it on every machine that JavaScript runs on (an atomic load would cost eight times as much). @inline
 */
export function rcu_dereference_check(p: number, f: number, held: boolean): number {
  point(POINT_RCU, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, false);
  const value = i32[(p + f) >> 2] as number;
  if (LOCKDEP && !held && !rcu_read_lock_held()) lockdep_rcu_suspicious('rcu_dereference_check', f);
  return value;
}

export function rcu_dereference<S extends string, T extends string>(p: Ptr<S>, f: Field<S, PointerTo<T>>): Ptr<T>;
export function rcu_dereference<S extends string>(p: Ptr<S>, f: Field<S, Word>): number;
/** Reads an RCU-protected word inside a read section. @inline */
export function rcu_dereference(p: number, f: number): number {
  point(POINT_RCU, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, false);
  const value = i32[(p + f) >> 2] as number;
  if (LOCKDEP && !rcu_read_lock_held()) lockdep_rcu_suspicious('rcu_dereference_check', f);
  return value;
}

export function rcu_dereference_protected<S extends string, T extends string>(p: Ptr<S>, f: Field<S, PointerTo<T>>, held: boolean): Ptr<T>;
export function rcu_dereference_protected<S extends string>(p: Ptr<S>, f: Field<S, Word>, held: boolean): number;
/** Reads an RCU-protected word that nobody can change, because this task holds the writers' lock. @inline */
export function rcu_dereference_protected(p: number, f: number, held: boolean): number {
  if (HEAP_CHECK) checkAccess(p, p + f, false);
  if (LOCKDEP && !held) lockdep_rcu_suspicious('rcu_dereference_protected', f);
  return i32[(p + f) >> 2] as number;
}

export function rcu_assign_pointer<S extends string, T extends string>(p: Ptr<S>, f: Field<S, PointerTo<T>>, v: Ptr<T>): void;
export function rcu_assign_pointer<S extends string>(p: Ptr<S>, f: Field<S, Word>, v: number): void;
/** Publishes an object: whoever reads the pointer through rcu_dereference sees what was written to the object before. @inline */
export function rcu_assign_pointer(p: number, f: number, v: number): void {
  point(POINT_WRITE, p + f);
  if (HEAP_CHECK) checkAccess(p, p + f, true);
  Atomics.store(i32, (p + f) >> 2, v);
}

/** What runs after a grace period, by number: a function cannot stand in shared memory. */
const callbacks: ((head: Ptr<'rcu_head'>) => void)[] = [];

/**
 * Names a callback for {@link call_rcu}; the same number in every thread. Call at module evaluation.
 * @param func  gets the address of the rcu_head; must not reach a scheduling point
 */
export function rcu_callback(name: string, func: (head: Ptr<'rcu_head'>) => void): number {
  const id = internName('rcu', name);
  callbacks[id] = func;
  return id;
}

/** Begins a grace period: remembers which tasks are in a read section. @inline */
function snapshot(data: Ptr<'rcu_data'>): void {
  for (let task = 0; task < MAX_TASKS; task++) {
    set((data + rcu_data.snapshot + 4 * task) as Ptr<'words_of_task'>, words_of_task.value, loadWord(dataOf(task), rcu_data.ctr));
  }
}

/** The first task whose read section of the snapshot is still open, -1 when the grace period is over. @inline */
function firstHolder(data: Ptr<'rcu_data'>): number {
  for (let task = 0; task < MAX_TASKS; task++) {
    const seen = get((data + rcu_data.snapshot + 4 * task) as Ptr<'words_of_task'>, words_of_task.value);
    if ((seen & 1) !== 0 && loadWord(dataOf(task), rcu_data.ctr) === seen) return task;
  }
  return -1;
}

/** Runs the callbacks whose grace period is over. @inline */
function rcu_do_batch(data: Ptr<'rcu_data'>): void {
  let head = get(data, rcu_data.wait_head);
  set(data, rcu_data.wait_head, NULL);
  while (head !== NULL) {
    const next = get(head, rcu_head.next);
    const func = callbacks[get(head, rcu_head.func)];
    if (func === undefined) throw new EmulatorBug(`rcu: no callback has number ${get(head, rcu_head.func)} in this thread`);
    func(head);
    head = next;
  }
}

/** Hands the gathered callbacks to a grace period that begins now. @inline */
function rcu_advance_cbs(data: Ptr<'rcu_data'>): void {
  set(data, rcu_data.wait_head, get(data, rcu_data.next_head));
  set(data, rcu_data.next_head, NULL);
  set(data, rcu_data.next_count, 0);
  snapshot(data);
}

/**
 * Has callback `func` run on the object around `head` after a grace period. Does not sleep.
 * @param func  a number from {@link rcu_callback}
 */
export function call_rcu(head: Ptr<'rcu_head'>, func: number): void {
  const data = dataOf(myIndex());
  set(head, rcu_head.func, func);
  set(head, rcu_head.next, get(data, rcu_data.next_head));
  set(data, rcu_data.next_head, head);
  const count = get(data, rcu_data.next_count) + 1;
  set(data, rcu_data.next_count, count);
  if (count % BATCH !== 0) return;
  if (get(data, rcu_data.wait_head) !== NULL) {
    if (firstHolder(data) >= 0) return;
    rcu_do_batch(data);
  }
  rcu_advance_cbs(data);
}

/** Waits until the grace period of `data` is over. May sleep. */
function rcu_wait_gp(data: Ptr<'rcu_data'>): void {
  addWord(waiters, words_of_task.value, 1);
  for (let task = firstHolder(data); task >= 0; task = firstHolder(data)) {
    const seen = get((data + rcu_data.snapshot + 4 * task) as Ptr<'words_of_task'>, words_of_task.value);
    if (!spinWhile(dataOf(task), rcu_data.ctr, seen)) awaitChange(dataOf(task), rcu_data.ctr, seen);
  }
  addWord(waiters, words_of_task.value, -1);
}

/** Runs all callbacks of this task, each after its grace period. May sleep; not inside a read section. */
export function rcu_barrier(): void {
  const data = dataOf(myIndex());
  if (rcu_read_lock_held()) throw new EmulatorBug('rcu_barrier() inside a read section would wait for itself');
  while (get(data, rcu_data.wait_head) !== NULL || get(data, rcu_data.next_head) !== NULL) {
    if (get(data, rcu_data.wait_head) === NULL) rcu_advance_cbs(data);
    rcu_wait_gp(data);
    rcu_do_batch(data);
  }
}

/** Returns when every read section that is open now has been closed. May sleep; not inside a read section. */
export function synchronize_rcu(): void {
  const data = dataOf(myIndex());
  if (rcu_read_lock_held()) throw new EmulatorBug('synchronize_rcu() inside a read section would wait for itself');
  // A grace period of our callbacks may be open: finish it first, the snapshot is needed.
  if (get(data, rcu_data.wait_head) !== NULL) {
    rcu_wait_gp(data);
    rcu_do_batch(data);
  }
  snapshot(data);
  rcu_wait_gp(data);
}
