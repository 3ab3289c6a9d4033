/**
 * Ordered maps from npm, timed as the maple tree is. They store single points in this thread's heap; the maple tree stores
 * ranges with their gaps, in memory that other threads read.
 */

import { createRequire } from 'node:module';
import { OrderedMap } from 'js-sdsl';
import { randomKeys, STRIDE, shuffledKeys } from './range-keys.ts';

// A CommonJS module whose types describe another shape than Node gives it.
const BTree = (createRequire(import.meta.url)('sorted-btree') as { default: BTreeConstructor }).default;

/** As far as it is used here. */
type BTreeConstructor = new () => {
  set(k: number, v: number): boolean;
  get(k: number): number | undefined;
  delete(k: number): boolean;
  forEachPair(f: (k: number, v: number) => void): unknown;
};

/** What is measured of each. */
interface OrderedMapUnderTest {
  set(key: number, value: number): void;
  get(key: number): number | undefined;
  iterate(): number;
  remove(key: number): void;
}

function sortedBtree(): OrderedMapUnderTest {
  const map = new BTree();
  return {
    set: (key, value) => {
      map.set(key, value);
    },
    get: (key) => map.get(key),
    iterate: () => {
      let sum = 0;
      map.forEachPair((_key, value) => {
        sum += value;
      });
      return sum;
    },
    remove: (key) => {
      map.delete(key);
    },
  };
}

function sdsl(): OrderedMapUnderTest {
  const map = new OrderedMap<number, number>();
  return {
    set: (key, value) => {
      map.setElement(key, value);
    },
    get: (key) => map.getElementByKey(key),
    iterate: () => {
      let sum = 0;
      for (const pair of map) sum += pair[1];
      return sum;
    },
    remove: (key) => {
      map.eraseElementByKey(key);
    },
  };
}

export const ORDERED_MAPS: Record<string, () => OrderedMapUnderTest> = { 'sorted-btree': sortedBtree, 'js-sdsl': sdsl };

/** Results are added up here, so that none is optimised away. */
export let used = 0;

/** Times one operation on all of `n` keys, or `load` of {@link randomKeys}. @returns ns per key */
export function measureMap(make: () => OrderedMapUnderTest, what: string, n: number, count: number): number {
  const keys = shuffledKeys(n);
  const probes = randomKeys(n);
  const operations = what === 'load' ? probes.length : n;
  const rounds = Math.max(1, Math.round(count / operations));
  let ns = 0n;
  let map = make();
  for (let round = 0; round < rounds; round++) {
    if (what !== 'load' && what !== 'iterate') map = make();
    if (what === 'erase' || (round === 0 && what !== 'store')) for (const key of keys) map.set(key, key / STRIDE + 1);
    const start = process.hrtime.bigint();
    if (what === 'store') for (let i = 0; i < n; i++) map.set(keys[i] as number, i + 1);
    else if (what === 'erase') for (let i = 0; i < n; i++) map.remove(keys[i] as number);
    else if (what === 'load') for (let i = 0; i < operations; i++) used += map.get(probes[i] as number) as number;
    else used += map.iterate();
    ns += process.hrtime.bigint() - start;
  }
  return Number(ns) / rounds / operations;
}
