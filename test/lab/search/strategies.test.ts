/** Strategies: what they find, how often, and that a seed means the same schedule everywhere. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { chiSquare, loadSearch, type Search, signatures } from './support.ts';

let search: Search;
beforeAll(async () => {
  search = await loadSearch();
});

const RANDOM = ['random', 'pct', 'pos', 'urw', 'surw', 'portfolio'];

test('all strategies are known by their files', () => {
  expect(search.strategyNames()).toEqual([...RANDOM, 'round-robin'].sort());
});

describe.each(RANDOM)('%s', (name) => {
  test.each([
    ['ab-ba', 'deadlock'],
    ['lost-update', 'invariant'],
    ['use-after-free', 'use-after-free'],
    ['atomicity', 'invariant'],
    ['minimal', 'invariant'],
  ])('finds %s, and nothing in its fixed twin', async (scenario, kind) => {
    const strategy = await search.loadStrategy(name, { depth: 2 });
    const random = new search.Random();
    // Each of these has a chance of more than one in five hundred under every strategy.
    for (const variant of ['unfixed', 'fixed']) {
      const { engine, profile } = search.engineFor(scenario, variant);
      const found = new Set<string>();
      for (let index = 0; index < 2500; index++) {
        random.seed(1, index);
        engine.run(strategy, random, profile);
        for (const signature of signatures(engine)) found.add(signature.split(':')[0] as string);
      }
      expect([...found]).toEqual(variant === 'fixed' ? [] : [kind]);
    }
  });
});

test('the same seed is the same schedule, 10,000 times', async () => {
  const { engine, profile } = search.engineFor('minimal', 'unfixed');
  const hash = new search.TraceHash();
  const random = new search.Random();
  const strategy = await search.loadStrategy('portfolio', { depth: 3 });
  const play = (index: number, watched: boolean): string => {
    engine.observer = watched ? hash : undefined;
    random.seed(42, index);
    engine.run(strategy, random, profile);
    return JSON.stringify([engine.segments(), engine.steps, signatures(engine)]);
  };
  const traces = new Map<number, string>();
  for (let index = 0; index < 10_000; index++) {
    const first = play(index, true);
    traces.set(index, hash.text());
    // Nobody watching, the strategy is asked less often: the schedule is the same all the same.
    expect(play(index, false)).toBe(first);
  }
  for (let index = 9_999; index >= 0; index -= 7) {
    play(index, true);
    expect(hash.text()).toBe(traces.get(index));
  }
  engine.observer = undefined;
});

test('10,000 seeds of two scenarios are the same in another process, and in any order', () => {
  const script = fileURLToPath(new URL('../../../dist/test/lab/search/trace-digest.js', import.meta.url));
  const digest = (...args: string[]) => execFileSync(process.execPath, [script, ...args], { encoding: 'utf8', timeout: 50_000 });
  const forwards = digest();
  expect(forwards).toMatch(/^minimal, 10000 seeds, \d{4} schedules: [0-9a-f]{16}\nksm-exit, 10000 seeds, \d{4} schedules: [0-9a-f]{16}\n$/);
  expect(digest('backwards')).toBe(forwards);
});

test('a seed means the same on every machine and Node version', async () => {
  const { engine, profile } = search.engineFor('lost-update', 'unfixed', { tasks: 3, vmas: 2 });
  const random = new search.Random();
  const sum = createHash('sha256');
  for (const name of ['pct', 'pos', 'urw', 'random']) {
    const strategy = await search.loadStrategy(name, { depth: 3 });
    for (let index = 0; index < 500; index++) {
      random.seed(2 ** 40 + 5, index);
      engine.run(strategy, random, profile);
      sum.update(JSON.stringify(engine.segments()));
    }
  }
  expect(sum.digest('hex').slice(0, 16)).toMatchInlineSnapshot(`"a07e8ff0c2081dca"`);
});

test.each([1, 2, 3, 4])("PCT's bound 1 / (n k^(d-1)) holds for a bug of depth %i", async (depth) => {
  const { engine, profile } = search.engineFor('depth', `depth-${depth}`);
  const strategy = await search.loadStrategy('pct', { depth });
  const random = new search.Random();
  const runs = 40_000;
  let hits = 0;
  for (let index = 0; index < runs; index++) {
    random.seed(9, index);
    engine.run(strategy, random, profile);
    if (engine.found.length > 0) hits++;
  }
  const bound = 1 / (2 * profile.steps ** (depth - 1));
  expect(hits / runs).toBeGreaterThan(bound * 0.9);
});

/** Counts the interleavings of two tasks as texts like `AABB`. */
async function interleavings(name: string, vmas: number, runs: number): Promise<Map<string, number>> {
  const { engine, profile } = search.engineFor('steps', 'together', { vmas });
  const strategy = await search.loadStrategy(name, { depth: 2 });
  const random = new search.Random();
  const counts = new Map<string, number>();
  for (let index = 0; index < runs; index++) {
    random.seed(3, index);
    engine.run(strategy, random, profile);
    const text = engine
      .segments()
      .map(({ task, steps }) => 'AB'.charAt(task).repeat(steps))
      .join('');
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}

test.each(['urw', 'surw'])('%s is uniform over interleavings when its counts are exact', async (name) => {
  const counts = await interleavings(name, 3, 40_000);
  expect(counts.size).toBe(20);
  // 19 degrees of freedom: above 43.8 once in a thousand; the seeds are fixed.
  expect(chiSquare([...counts.values()], Array(20).fill(1 / 20))).toBeLessThan(43.8);
});

test('a random walk is not uniform: the test above can fail', async () => {
  const counts = await interleavings('random', 3, 40_000);
  expect(chiSquare([...counts.values()], Array(20).fill(1 / 20))).toBeGreaterThan(1000);
});

test('POS draws again for racing operations: each step of two writers is a fair coin', async () => {
  const counts = await interleavings('pos', 2, 40_000);
  const texts = ['AABB', 'BBAA', 'ABAB', 'ABBA', 'BAAB', 'BABA'];
  const shares = [1 / 4, 1 / 4, 1 / 8, 1 / 8, 1 / 8, 1 / 8];
  // 5 degrees of freedom.
  expect(
    chiSquare(
      texts.map((text) => counts.get(text) ?? 0),
      shares,
    ),
  ).toBeLessThan(20.5);
});
