/**
 * The control files in /sys/kernel/mm/ksm (mm/ksm.c, Linux 6.1): their names, what they take, and their errors. `run` itself is in
 * ksm.ts.
 */
import { get, READ_ONCE, set, WRITE_ONCE } from '../../machine/door.ts';
import type { Field, Word } from '../../machine/layout.ts';
import { EACCES, EBUSY, EINVAL, ENOENT, ERANGE } from '../include/errno.ts';
import { mutex_lock, mutex_unlock } from '../locking/mutex.ts';
import { wake_up_interruptible } from '../sched/wait-queue.ts';
import { run_store } from './ksm.ts';
import { ksmCounters } from './ksm-counters.ts';
import { remove_all_stable_nodes } from './ksm-stable-node.ts';
import { KSM, ksm, ksm_iter_wait, ksm_thread_mutex } from './ksm-types.ts';

/** Files that can be written. */
export const KSM_RW_FILES = [
  'run',
  'pages_to_scan',
  'sleep_millisecs',
  'max_page_sharing',
  'stable_node_chains_prune_millisecs',
  'use_zero_pages',
  'merge_across_nodes',
] as const;
/** Counters. */
export const KSM_RO_FILES = [
  'pages_shared',
  'pages_sharing',
  'pages_unshared',
  'pages_volatile',
  'stable_node_chains',
  'stable_node_dups',
  'full_scans',
] as const;
const UINT_MAX = 2 ** 32 - 1;
const INT_MAX = 2 ** 31 - 1;

/** `kstrtouint` and its kin, base 10: a number without anything around it but one newline at the end; -EINVAL or -ERANGE. @inline */
function kstrto(text: string, most: number): number {
  if (!/^\+?\d+\n?$/.test(text)) return -EINVAL;
  const value = Number(text);
  return value > most ? -ERANGE : value;
}

/** @inline */
function kstrtobool(text: string): number {
  if (/^([yY1]|[oO][nN])/.test(text)) return 1;
  return /^([nN0]|[oO][fF])/.test(text) ? 0 : -EINVAL;
}

/** A setting that is just a number. @inline */
function store_uint(text: string, field: Field<'ksm_globals', Word>): number {
  const value = kstrto(text, UINT_MAX);
  if (value < 0) return -EINVAL;
  WRITE_ONCE(ksm, field, Math.min(value, INT_MAX));
  return 0;
}

function sleep_millisecs_store(text: string): number {
  const error = store_uint(text, KSM.sleep_millisecs);
  if (error === 0) wake_up_interruptible(ksm_iter_wait);
  return error;
}

/** Changes what the stable tree was built by: only while nothing is merged. */
function store_shape(value: number, field: Field<'ksm_globals', Word>): number {
  if (READ_ONCE(ksm, field) === value) return 0;
  let error = 0;
  mutex_lock(ksm_thread_mutex);
  if (get(ksm, field) !== value) {
    if (get(ksm, KSM.ksm_pages_shared) !== 0 || remove_all_stable_nodes() !== 0) error = -EBUSY;
    else set(ksm, field, value);
  }
  mutex_unlock(ksm_thread_mutex);
  return error;
}

function max_page_sharing_store(text: string): number {
  const value = kstrto(text, INT_MAX);
  if (value < 0) return value;
  // A KSM page begins with two sharers.
  return value < 2 ? -EINVAL : store_shape(value, KSM.max_page_sharing);
}

function merge_across_nodes_store(text: string): number {
  const value = kstrto(text, Number.MAX_SAFE_INTEGER);
  if (value < 0) return value;
  return value > 1 ? -EINVAL : store_shape(value, KSM.merge_across_nodes);
}

function use_zero_pages_store(text: string): number {
  const value = kstrtobool(text);
  if (value < 0) return -EINVAL;
  WRITE_ONCE(ksm, KSM.use_zero_pages, value);
  return 0;
}

/**
 * A write to a file in /sys/kernel/mm/ksm. May sleep.
 * @param file  its name
 * @param text  what is written
 * @returns 0 (Linux: the bytes taken) or a negative errno; -EACCES for a counter, which can't be opened for writing
 */
export function ksm_sysfs_store(file: string, text: string): number {
  switch (file) {
    case 'run':
      return run_store(text);
    case 'pages_to_scan':
      return store_uint(text, KSM.pages_to_scan);
    case 'sleep_millisecs':
      return sleep_millisecs_store(text);
    case 'max_page_sharing':
      return max_page_sharing_store(text);
    case 'stable_node_chains_prune_millisecs':
      return store_uint(text, KSM.stable_node_chains_prune_millisecs);
    case 'use_zero_pages':
      return use_zero_pages_store(text);
    case 'merge_across_nodes':
      return merge_across_nodes_store(text);
    default:
      return (KSM_RO_FILES as readonly string[]).includes(file) ? -EACCES : -ENOENT;
  }
}

/** What a read of a file gives, with its newline; undefined when there is no such file. */
export function ksm_sysfs_show(file: string): string | undefined {
  if (file !== 'run' && (KSM_RW_FILES as readonly string[]).includes(file)) {
    return `${READ_ONCE(ksm, KSM[file as Exclude<(typeof KSM_RW_FILES)[number], 'run'>])}\n`;
  }
  const counters: Readonly<Record<string, number>> = { ...ksmCounters() };
  return Object.hasOwn(counters, file) ? `${counters[file]}\n` : undefined;
}
