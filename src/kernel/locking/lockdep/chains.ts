/**
 * The chain cache: which sequences of held locks were validated. A known one costs one lookup and no lock.
 * @notrace
 */

import { NULL, type Ptr } from '../../../machine/layout.ts';
import { i32 as arenaWords } from '../../../machine/memory.ts';
import { get, set } from '../../../machine/plain.ts';
import {
  bump,
  CHAIN_HLOCKS,
  CHAINHASH,
  CHAINHASH_SIZE,
  counted,
  LOCK_CHAINS,
  lock_chain,
  MAX_LOCKDEP_CHAIN_HLOCKS,
  MAX_LOCKDEP_CHAINS,
  NR_CHAIN_HLOCKS,
  NR_CHAINS,
  NR_HARDIRQ_CHAINS,
  NR_LOST_CHAINS,
  NR_PROCESS_CHAINS,
  NR_SOFTIRQ_CHAINS,
} from './internals.ts';
import { reportLimit } from './report-limits.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

const HASH = CHAINHASH >> 2;
const HASH_MASK = CHAINHASH_SIZE - 1;

/** First word of the key of a chain extended by entry `id`. The second, {@link chainHigh}, takes this one. */
export function chainLow(lo: number, id: number): number {
  const x = Math.imul(lo ^ id, 0x85ebca6b);
  return x ^ (x >>> 13);
}

export function chainHigh(hi: number, id: number, lo: number): number {
  const x = Math.imul(hi + id, 0xc2b2ae35 | 0);
  return ((x ^ (x >>> 16)) + lo) | 0;
}

/** The chain with a key, or NULL. */
export function lookup_chain_cache(lo: number, hi: number): Ptr<'lock_chain'> {
  let chain = i32[HASH + (hi & HASH_MASK)] as Ptr<'lock_chain'>;
  while (chain !== NULL && (get(chain, lock_chain.key_lo) !== lo || get(chain, lock_chain.key_hi) !== hi))
    chain = get(chain, lock_chain.next);
  return chain;
}

/**
 * Adds a chain. Must hold the graph lock.
 * @param ids  its entries, outermost first: class number, mode above {@link CLASS_BITS}
 * @returns the chain, or NULL after a report that the table is full: then it is validated each time
 */
export function add_chain_cache(lo: number, hi: number, irqContext: number, ids: readonly number[]): Ptr<'lock_chain'> {
  if (counted(NR_CHAINS) >= MAX_LOCKDEP_CHAINS || counted(NR_CHAIN_HLOCKS) + ids.length > MAX_LOCKDEP_CHAIN_HLOCKS) {
    bump(NR_LOST_CHAINS);
    reportLimit(counted(NR_CHAINS) >= MAX_LOCKDEP_CHAINS ? 'MAX_LOCKDEP_CHAINS' : 'MAX_LOCKDEP_CHAIN_HLOCKS');
    return NULL;
  }
  const chain = (LOCK_CHAINS + bump(NR_CHAINS) * lock_chain.SIZE) as Ptr<'lock_chain'>;
  const base = bump(NR_CHAIN_HLOCKS, ids.length);
  for (let i = 0; i < ids.length; i++) i32[(CHAIN_HLOCKS >> 2) + base + i] = ids[i] as number;
  const bucket = HASH + (hi & HASH_MASK);
  set(chain, lock_chain.key_lo, lo);
  set(chain, lock_chain.key_hi, hi);
  set(chain, lock_chain.next, i32[bucket] as Ptr<'lock_chain'>);
  set(chain, lock_chain.base, base);
  set(chain, lock_chain.depth, ids.length);
  set(chain, lock_chain.irq_context, irqContext);
  // Until its first validation is through.
  set(chain, lock_chain.bad, 1);
  bump((irqContext & 2) !== 0 ? NR_HARDIRQ_CHAINS : irqContext !== 0 ? NR_SOFTIRQ_CHAINS : NR_PROCESS_CHAINS);
  // Pairs with the plain load in lookup_chain_cache: a chain is whole before it can be found.
  Atomics.store(i32, bucket, chain);
  return chain;
}

/** The entries of a chain, outermost first. */
export function chainEntries(chain: Ptr<'lock_chain'>): number[] {
  const base = (CHAIN_HLOCKS >> 2) + get(chain, lock_chain.base);
  return Array.from(i32.slice(base, base + get(chain, lock_chain.depth)));
}
