/** The race itself, stepped: proved absent with the patch, proved present without it. */
import { beforeAll, expect, test } from 'vitest';
import { loadSearch, type Search, signatures, walk } from './support.ts';

let search: Search;
beforeAll(async () => {
  search = await loadSearch({ lockdep: 'on', arenaBytes: 32 << 20 });
});

const SILENT = ['fixed', 'both', 'linked-list'];

test.each([
  { tasks: 2, scanned: false },
  { tasks: 2, scanned: true },
  { tasks: 2, vmas: 3, scanned: false },
  { tasks: 3, scanned: false },
])('every trace of %o', (more) => {
  const unfixed = walk(search, search.engineFor('ksm-exit', 'unfixed', more), new search.Dpor(more.tasks));
  expect(unfixed.bad).toBeGreaterThan(0);
  expect(unfixed.bad).toBeLessThan(unfixed.schedules);
  expect(unfixed.schedules).toBe(unfixed.traces.size);
  expect([...unfixed.outcomes].filter((o) => o !== '').every((o) => o.startsWith('suspicious-rcu-usage'))).toBe(true);
  for (const variant of SILENT) {
    const fixed = walk(search, search.engineFor('ksm-exit', variant, more), new search.Dpor(more.tasks));
    expect([variant, fixed.bad]).toEqual([variant, 0]);
  }
});

test('schedules with few preemptions are among the traces, and find the same', () => {
  const subject = search.engineFor('ksm-exit', 'unfixed');
  const all = walk(search, subject, new search.Dpor(2));
  const few = walk(search, subject, new search.Bounded(3));
  expect(few.traces.size).toBeGreaterThan(30);
  for (const trace of few.traces) expect(all.traces.has(trace)).toBe(true);
  expect(few.outcomes).toEqual(all.outcomes);
});

test('at depth 2 the first report comes within 50 schedules for the median of 100 seeds', async () => {
  const { engine, profile } = search.engineFor('ksm-exit', 'unfixed');
  const strategy = await search.loadStrategy('pct', { depth: 2 });
  const random = new search.Random();
  const first: number[] = [];
  for (let seed = 0; seed < 100; seed++) {
    let index = 0;
    do {
      random.seed(seed, index++);
      engine.run(strategy, random, profile);
    } while (engine.found.length === 0 && index < 2000);
    expect(signatures(engine)[0]).toMatch(/^suspicious-rcu-usage/);
    first.push(index);
  }
  expect(first.sort((a, b) => a - b)[50]).toBeLessThanOrEqual(50);
});

test('a schedule does not depend on the ones before it', async () => {
  const { engine, profile } = search.engineFor('ksm-exit', 'unfixed', { tasks: 4, vmas: 2 });
  const strategy = await search.loadStrategy('portfolio', { depth: 3 });
  const random = new search.Random();
  const hash = new search.TraceHash();
  engine.observer = hash;
  const play = (index: number): string => {
    random.seed(5, index);
    engine.run(strategy, random, profile);
    return `${hash.text()} ${signatures(engine).join()}`;
  };
  const forward = Array.from({ length: 600 }, (_, i) => play(i));
  for (let index = 599; index >= 0; index--) expect(play(index)).toBe(forward[index]);
  engine.observer = undefined;
});
