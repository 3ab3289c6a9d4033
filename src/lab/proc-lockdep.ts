/**
 * The validator's state as /proc shows it (kernel/locking/lockdep_proc.c, Linux 6.1): `lockdep`, `lockdep_chains`,
 * `lockdep_stats`. Exact while no task runs.
 */

import { task_struct, taskOf } from '../kernel/include/task_struct.ts';
import { chainEntries } from '../kernel/locking/lockdep/chains.ts';
import { search } from '../kernel/locking/lockdep/graph.ts';
import * as tables from '../kernel/locking/lockdep/internals.ts';
import { className, usageLetters } from '../kernel/locking/lockdep/names.ts';
import { pointerText } from '../kernel/locking/lockdep/report-text.ts';
import { get } from '../machine/door.ts';
import type { Field, Ptr, Word } from '../machine/layout.ts';
import { NULL } from '../machine/layout.ts';
import { MAX_TASKS } from '../machine/task-area.ts';

const { counted, lock_chain, lock_class, lock_list, lockClass } = tables;

/** Numbers of all classes. */
function classes(): number[] {
  return Array.from({ length: counted(tables.NR_CLASSES) }, (_, i) => i + 1);
}

/** Classes that can be reached, the start included. */
function reach(idx: number, forward: boolean): number {
  const seen = new Set<number>();
  search(idx, false, forward, false, (found) => {
    seen.add(found);
    return false;
  });
  return seen.size;
}

/** /proc/lockdep: every class with its usage, and what was taken next under it. */
export function lockdepText(): string {
  const lines = ['all lock classes:'];
  for (const idx of classes()) {
    const ops = String(tables.lockOps(idx)).padStart(8);
    const forward = String(reach(idx, true)).padStart(5);
    const backward = String(reach(idx, false)).padStart(5);
    lines.push(
      `${pointerText(get(lockClass(idx), lock_class.key))} OPS:${ops} FD:${forward} BD:${backward} ${usageLetters(idx)}: ${className(idx)}`,
    );
    let entry = get(lockClass(idx), lock_class.locks_after);
    for (; entry !== NULL; entry = get(entry, lock_list.next)) {
      if (get(entry, lock_list.distance) !== 1) continue;
      const next = get(entry, lock_list.class_idx);
      lines.push(` -> [${pointerText(get(lockClass(next), lock_class.key))}] ${className(next)}`);
    }
    lines.push('');
  }
  return `${lines.join('\n')}\n`;
}

const CONTEXTS = ['0', 'softirq', 'hardirq', 'hardirq-softirq'];

/** /proc/lockdep_chains: every chain that was validated. */
export function lockdepChainsText(): string {
  const lines = ['all lock chains:'];
  for (let i = 0; i < counted(tables.NR_CHAINS); i++) {
    const chain = (tables.LOCK_CHAINS + i * lock_chain.SIZE) as Ptr<'lock_chain'>;
    lines.push(`irq_context: ${CONTEXTS[get(chain, lock_chain.irq_context)]}`);
    for (const entry of chainEntries(chain)) {
      const idx = entry & ((1 << tables.CLASS_BITS) - 1);
      lines.push(`[${pointerText(get(lockClass(idx), lock_class.key))}] ${className(idx)}`);
    }
    lines.push('');
  }
  return `${lines.join('\n')}\n`;
}

/** Sum of a word over all tasks. */
function overTasks(field: Field<'task_struct', Word>): number {
  let sum = 0;
  for (let task = 0; task < MAX_TASKS; task++) sum += get(taskOf(task), field);
  return sum;
}

/** Classes with one of these usage bits. */
function withUsage(mask: number): number {
  return classes().filter((idx) => (get(lockClass(idx), lock_class.usage_mask) & mask) !== 0).length;
}

/** Bits of usage_mask, see names.ts. */
const IN_HARD = 1;
const ON_HARD = 4;
const IN_SOFT = 16;
const ON_SOFT = 64;
const CATEGORIES = 0xff;

/** /proc/lockdep_stats. */
export function lockdepStatsText(): string {
  const lines: string[] = [];
  const say = (label: string, value: number, max?: number): void => {
    lines.push(`${` ${label}:`.padEnd(32)}${String(value).padStart(11)}${max === undefined ? '' : ` [max: ${max}]`}`);
  };
  const all = classes();
  const uses = (mask: number): number => withUsage(mask);
  const entries = counted(tables.NR_LIST_ENTRIES);
  const [inHard, onHard, inSoft, onSoft] = [uses(IN_HARD), uses(ON_HARD), uses(IN_SOFT), uses(ON_SOFT)];
  const [inAny, onAny] = [uses(IN_HARD | IN_SOFT), uses(ON_HARD | ON_SOFT)];
  const chains = [counted(tables.NR_HARDIRQ_CHAINS), counted(tables.NR_SOFTIRQ_CHAINS), counted(tables.NR_PROCESS_CHAINS)] as const;
  say('lock-classes', all.length, tables.MAX_LOCKDEP_KEYS);
  say('direct dependencies', entries, tables.MAX_LOCKDEP_ENTRIES);
  say(
    'indirect dependencies',
    all.reduce((sum, idx) => sum + reach(idx, true), 0),
  );
  say('all direct dependencies', onAny * inAny + onHard * inHard + entries);
  say('dependency chains', counted(tables.NR_CHAINS), tables.MAX_LOCKDEP_CHAINS);
  say('dependency chain hlocks used', counted(tables.NR_CHAIN_HLOCKS), tables.MAX_LOCKDEP_CHAIN_HLOCKS);
  say('dependency chain hlocks lost', counted(tables.NR_LOST_CHAINS));
  say('in-hardirq chains', chains[0]);
  say('in-softirq chains', chains[1]);
  say('in-process chains', chains[2]);
  say('stack-trace entries', counted(tables.NR_TRACE_WORDS), tables.MAX_STACK_TRACE_ENTRIES);
  say('number of stack traces', counted(tables.NR_TRACES));
  say('number of stack hash chains', counted(tables.NR_TRACE_HASH_CHAINS));
  say('combined max dependencies', (chains[1] + 1) * (chains[0] + 1) * (chains[2] + 1));
  say('hardirq-safe locks', inHard);
  say('hardirq-unsafe locks', onHard);
  say('softirq-safe locks', inSoft);
  say('softirq-unsafe locks', onSoft);
  say('irq-safe locks', inAny);
  say('irq-unsafe locks', onAny);
  say('hardirq-read-safe locks', uses(IN_HARD << 1));
  say('hardirq-read-unsafe locks', uses(ON_HARD << 1));
  say('softirq-read-safe locks', uses(IN_SOFT << 1));
  say('softirq-read-unsafe locks', uses(ON_SOFT << 1));
  say('irq-read-safe locks', uses((IN_HARD | IN_SOFT) << 1));
  say('irq-read-unsafe locks', uses((ON_HARD | ON_SOFT) << 1));
  say('uncategorized locks', all.filter((idx) => (get(lockClass(idx), lock_class.usage_mask) & CATEGORIES) === 0).length);
  say('unused locks', all.filter((idx) => get(lockClass(idx), lock_class.usage_mask) === 0).length);
  say('max locking depth', counted(tables.MAX_LOCKDEP_DEPTH));
  say('max bfs queue depth', counted(tables.MAX_BFS_QUEUE));
  say('max lock class index', all.length);
  say('chain lookup misses', overTasks(task_struct.chain_lookup_misses));
  say('chain lookup hits', overTasks(task_struct.chain_lookup_hits));
  say('cyclic checks', counted(tables.NR_CYCLIC_CHECKS));
  say('redundant checks', 0);
  say('redundant links', 0);
  say('find-mask forwards checks', counted(tables.NR_FIND_FORWARDS));
  say('find-mask backwards checks', counted(tables.NR_FIND_BACKWARDS));
  say('hardirq on events', overTasks(task_struct.hardirqs_on_events));
  say('hardirq off events', overTasks(task_struct.hardirqs_off_events));
  say('redundant hardirq ons', overTasks(task_struct.redundant_hardirqs_on));
  say('redundant hardirq offs', overTasks(task_struct.redundant_hardirqs_off));
  say('softirq on events', overTasks(task_struct.softirqs_on_events));
  say('softirq off events', overTasks(task_struct.softirqs_off_events));
  say('redundant softirq ons', overTasks(task_struct.redundant_softirqs_on));
  say('redundant softirq offs', overTasks(task_struct.redundant_softirqs_off));
  say('debug_locks', tables.debugLocks() ? 1 : 0);
  lines.push('');
  say('zapped classes', counted(tables.NR_ZAPPED_CLASSES));
  return `${lines.join('\n')}\n`;
}

/** All three, by name. */
export function procFiles(): Record<string, string> {
  return { lockdep: lockdepText(), lockdep_chains: lockdepChainsText(), lockdep_stats: lockdepStatsText() };
}
