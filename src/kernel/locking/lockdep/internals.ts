/**
 * The validator's tables, all in the arena (kernel/locking/lockdep_internals.h, Linux 6.1).
 *
 * One short lock, the graph lock, protects every change. Lookups on the warm path (class of a lock, usage of a class,
 * chain of a key) read without it: entries are complete before the word that leads to them is stored, and never move.
 * @notrace
 */
import { bootOptions } from '../../../machine/boot.ts';
import { type Ptr, pointer, struct, word, words } from '../../../machine/layout.ts';
import { i32 as arenaWords, staticStorage } from '../../../machine/memory.ts';
import { shortLock, shortUnlock } from '../../../machine/short-lock.ts';
import { AREA_INDEX, AREA_KERNEL, MAX_TASKS } from '../../../machine/task-area.ts';
import { forgetCachedClasses } from './types.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

const boot = bootOptions();
const ON = boot.lockdep !== 'off';

/** Usage bits kept per class; see usage.ts. */
export const LOCK_TRACE_STATES = 10;

/** A lock class. Number 0 is never used, so that 0 can mean "none". */
export const lock_class = struct(
  'lock_class',
  {
    /** The bits seen so far, without those that gave a report: what the warm path tests. */
    clean_usage: word,
    usage_mask: word,
    /** What taking it needs: its outer wait type (or the inner one), 0 when it takes no part in the check. */
    wait_need: word,
    wait_type_inner: word,
    key: pointer('lock_class_key'),
    subclass: word,
    hash_next: pointer('lock_class'),
    /** Number of the name (text.ts). */
    name: word,
    /** How many classes had this name before: printed as #2, #3, ... */
    name_version: word,
    wait_type_outer: word,
    lock_type: word,
    locks_after: pointer('lock_list'),
    locks_before: pointer('lock_list'),
    /** Trace of the first acquire that set each usage bit. */
    usage_traces: words(LOCK_TRACE_STATES),
    spare: word,
  },
  32,
);

/** A dependency as one of its two classes sees it; each dependency is two of these. */
export const lock_list = struct('lock_list', {
  next: pointer('lock_list'),
  /** The class at the other end. */
  class_idx: word,
  /** DEP_* types seen so far, always as (earlier lock, later lock). */
  dep: word,
  /** Places between the two on the held stack when it was first seen; 1: next to each other. */
  distance: word,
  /** Where the later lock was taken. */
  trace: word,
  spare: word,
});

/** A validated chain of held locks. */
export const lock_chain = struct('lock_chain', {
  key_lo: word,
  key_hi: word,
  next: pointer('lock_chain'),
  /** It gave a report: validate it again each time, so that repeats are counted. */
  bad: word,
  /** Index of its first class in chain_hlocks. */
  base: word,
  depth: word,
  irq_context: word,
  spare: word,
});

/** Shared words of the validator. */
const state = staticStorage('lockdep_state', 256);
const S = state.address;
/** Byte addresses of single words. */
export const GRAPH_LOCK = S;
/** 1 while the validator works. */
export const DEBUG_LOCKS = S + 64;
export const NR_CLASSES = S + 128;
export const NR_LIST_ENTRIES = S + 132;
export const NR_CHAINS = S + 136;
export const NR_CHAIN_HLOCKS = S + 140;
export const NR_TRACE_WORDS = S + 144;
export const NR_TRACES = S + 148;
export const NR_CYCLIC_CHECKS = S + 152;
export const NR_FIND_FORWARDS = S + 156;
export const NR_FIND_BACKWARDS = S + 160;
export const MAX_LOCKDEP_DEPTH = S + 164;
export const MAX_BFS_QUEUE = S + 168;
export const NR_HARDIRQ_CHAINS = S + 172;
export const NR_SOFTIRQ_CHAINS = S + 176;
export const NR_PROCESS_CHAINS = S + 180;
export const NR_UNUSED_LOCKS = S + 184;
export const NR_ZAPPED_CLASSES = S + 188;
export const NR_TRACE_HASH_CHAINS = S + 192;
export const NR_LOST_CHAINS = S + 196;
const LIMIT_CLASSES = S + 224;
const LIMIT_ENTRIES = S + 228;
const LIMIT_CHAINS = S + 232;

if (state.fresh) {
  i32[LIMIT_CLASSES >> 2] = boot.lockdepClasses;
  i32[LIMIT_ENTRIES >> 2] = boot.lockdepEntries;
  i32[LIMIT_CHAINS >> 2] = boot.lockdepChains;
  Atomics.store(i32, DEBUG_LOCKS >> 2, ON ? 1 : 0);
}

/** Table sizes, decided by whoever made the memory. */
export const MAX_LOCKDEP_KEYS = i32[LIMIT_CLASSES >> 2] as number;
export const MAX_LOCKDEP_ENTRIES = i32[LIMIT_ENTRIES >> 2] as number;
export const MAX_LOCKDEP_CHAINS = i32[LIMIT_CHAINS >> 2] as number;
export const MAX_LOCKDEP_CHAIN_HLOCKS = MAX_LOCKDEP_CHAINS * 5;
/** Words for stack traces: 16 for each of as many traces as there may be dependencies. */
export const MAX_STACK_TRACE_ENTRIES = MAX_LOCKDEP_ENTRIES * 16;
/** Bits of a class number within a chain's entry; the mode stands above them. */
export const CLASS_BITS = 16;

function powerOfTwo(least: number): number {
  let n = 1024;
  while (n < least) n *= 2;
  return n;
}
export const CLASSHASH_SIZE = powerOfTwo(MAX_LOCKDEP_KEYS / 2);
export const CHAINHASH_SIZE = powerOfTwo(MAX_LOCKDEP_CHAINS / 2);
export const STACK_TRACE_HASH_SIZE = 4096;

function table(name: string, bytes: number): number {
  return ON ? staticStorage(name, bytes, 64).address : 0;
}
export const LOCK_CLASSES = table('lock_classes', (MAX_LOCKDEP_KEYS + 1) * lock_class.SIZE);
export const LIST_ENTRIES = table('list_entries', MAX_LOCKDEP_ENTRIES * lock_list.SIZE);
export const LOCK_CHAINS = table('lock_chains', MAX_LOCKDEP_CHAINS * lock_chain.SIZE);
export const CHAIN_HLOCKS = table('chain_hlocks', MAX_LOCKDEP_CHAIN_HLOCKS * 4);
export const CLASSHASH = table('classhash_table', CLASSHASH_SIZE * 4);
export const CHAINHASH = table('chainhash_table', CHAINHASH_SIZE * 4);
export const STACK_TRACES = table('stack_traces', MAX_STACK_TRACE_ENTRIES * 4);
export const STACK_TRACE_HASH = table('stack_trace_hash', STACK_TRACE_HASH_SIZE * 4);
/** Acquires per task and class, so that counting needs no shared line. */
export const LOCK_OPS = table('lock_ops', MAX_TASKS * (MAX_LOCKDEP_KEYS + 1) * 4);

/** The class behind a number. @inline */
export function lockClass(idx: number): Ptr<'lock_class'> {
  return (LOCK_CLASSES + idx * lock_class.SIZE) as Ptr<'lock_class'>;
}

/** Takes the graph lock. No scheduling point may come before {@link graph_unlock}. */
export function graph_lock(): void {
  shortLock(GRAPH_LOCK);
}

export function graph_unlock(): void {
  shortUnlock(GRAPH_LOCK);
}

/** Is the validator on? A racy look: it goes off at most once per run. */
export function debugLocks(): boolean {
  return i32[DEBUG_LOCKS >> 2] !== 0;
}

/** Switches the validator off for the rest of the run; tells whether it was on. */
export function debug_locks_off(): boolean {
  return Atomics.exchange(i32, DEBUG_LOCKS >> 2, 0) !== 0;
}

/** Switches it on again, after {@link debug_locks_off}. */
export function debug_locks_on(): void {
  Atomics.store(i32, DEBUG_LOCKS >> 2, 1);
}

/** Adds to one of the shared words above. Must hold the graph lock. Gives the value before. */
export function bump(counter: number, by = 1): number {
  const was = i32[counter >> 2] as number;
  i32[counter >> 2] = was + by;
  return was;
}

/** One of the shared words above. */
export function counted(counter: number): number {
  return i32[counter >> 2] as number;
}

/** Raises one of the shared words above to `value`, unless it is higher. */
export function raise(counter: number, value: number): void {
  if ((i32[counter >> 2] as number) < value) i32[counter >> 2] = value;
}

/** Words of {@link LOCK_OPS} that a task has. */
const OPS_PER_TASK = MAX_LOCKDEP_KEYS + 1;

/** Counts an acquire of a class by a task. @inline */
export function countOp(curr: Ptr<'task_struct'>, idx: number): void {
  const at = (LOCK_OPS >> 2) + (i32[(curr - AREA_KERNEL + AREA_INDEX) >> 2] as number) * OPS_PER_TASK + idx;
  i32[at] = (i32[at] as number) + 1;
}

/** Acquires of class `idx` over all tasks; exact while none runs. */
export function lockOps(idx: number): number {
  let sum = 0;
  for (let task = 0; task < MAX_TASKS; task++) sum += i32[(LOCK_OPS >> 2) + task * OPS_PER_TASK + idx] as number;
  return sum;
}

/** Forgets every class, dependency, chain and trace, and switches the validator on. No task may hold a lock; locks that are not static must be initialised again. */
export function lockdep_reset(): void {
  const clear = (start: number, bytes: number): void => {
    i32.fill(0, start >> 2, (start + bytes) >> 2);
  };
  graph_lock();
  for (let idx = 0; idx <= counted(NR_CLASSES); idx++) {
    const key = i32[(lockClass(idx) + lock_class.key) >> 2] as number;
    if (key !== 0) clear(key, 8);
  }
  clear(LOCK_CLASSES, (counted(NR_CLASSES) + 1) * lock_class.SIZE);
  clear(LIST_ENTRIES, counted(NR_LIST_ENTRIES) * lock_list.SIZE);
  clear(LOCK_CHAINS, counted(NR_CHAINS) * lock_chain.SIZE);
  clear(CLASSHASH, CLASSHASH_SIZE * 4);
  clear(CHAINHASH, CHAINHASH_SIZE * 4);
  clear(STACK_TRACE_HASH, STACK_TRACE_HASH_SIZE * 4);
  for (let task = 0; task < MAX_TASKS; task++) clear(LOCK_OPS + task * (MAX_LOCKDEP_KEYS + 1) * 4, (counted(NR_CLASSES) + 1) * 4);
  clear(NR_CLASSES, NR_LOST_CHAINS + 4 - NR_CLASSES);
  forgetCachedClasses();
  graph_unlock();
  debug_locks_on();
}
