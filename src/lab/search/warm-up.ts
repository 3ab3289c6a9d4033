/**
 * The validator's memory when a campaign begins: it has seen every task run alone once, one after the other, beginning with
 * each of them.
 *
 * Every schedule starts from there and forgets what it added, so what a schedule reports does not depend on the ones
 * before, and a replay reports the same. Starting with an empty graph would be as sound, but would make nearly
 * every schedule record the same dependencies, with a stack trace each.
 */
import * as lockdep from '../../kernel/locking/lockdep/internals.ts';
import { bootOptions } from '../../machine/boot.ts';
import { MAX_TASKS } from '../../machine/task-area.ts';

type Range = readonly [start: number, end: number];

/** Where the validator keeps classes, dependencies, chains and traces; empty when it is off. */
function validatorMemory(): Range[] {
  if (bootOptions().lockdep === 'off') return [];
  const keys = lockdep.MAX_LOCKDEP_KEYS + 1;
  const tables: [number, number][] = [
    [lockdep.GRAPH_LOCK, 256],
    [lockdep.LOCK_CLASSES, keys * lockdep.lock_class.SIZE],
    [lockdep.LIST_ENTRIES, lockdep.MAX_LOCKDEP_ENTRIES * lockdep.lock_list.SIZE],
    [lockdep.LOCK_CHAINS, lockdep.MAX_LOCKDEP_CHAINS * lockdep.lock_chain.SIZE],
    [lockdep.CHAIN_HLOCKS, lockdep.MAX_LOCKDEP_CHAIN_HLOCKS * 4],
    [lockdep.CLASSHASH, lockdep.CLASSHASH_SIZE * 4],
    [lockdep.CHAINHASH, lockdep.CHAINHASH_SIZE * 4],
    [lockdep.STACK_TRACES, lockdep.MAX_STACK_TRACE_ENTRIES * 4],
    [lockdep.STACK_TRACE_HASH, lockdep.STACK_TRACE_HASH_SIZE * 4],
    [lockdep.LOCK_OPS, MAX_TASKS * keys * 4],
  ];
  return tables.map(([start, bytes]) => [start, start + bytes]);
}

/** Tells for an address whether it is the validator's own. */
export function isValidatorMemory(): (address: number) => boolean {
  const ranges = validatorMemory();
  return (address) => ranges.some(([start, end]) => address >= start && address < end);
}

/** Kinds of findings that are not about the validator's graph, so that the graph is as good with them as without. */
export const NOT_OF_THE_GRAPH: ReadonlySet<string> = new Set([
  'suspicious-rcu-usage',
  'invariant',
  'deadlock',
  'livelock',
  'use-after-free',
  'wild-access',
  'double-free',
  'data-race',
]);
