/** Race detection on plain accesses, while stepping. */
import { beforeAll, expect, test } from 'vitest';
import { loadSearch, type Search, signatures } from './support.ts';

let search: Search;
beforeAll(async () => {
  search = await loadSearch({ races: true, lockdep: 'on', arenaBytes: 32 << 20 });
});

async function find(name: string, variant: string, schedules: number): Promise<string[]> {
  const { engine, profile } = search.engineFor(name, variant);
  const strategy = await search.loadStrategy('pct', { depth: 2 });
  const random = new search.Random();
  const found = new Set<string>();
  for (let index = 0; index < schedules; index++) {
    random.seed(1, index);
    engine.run(strategy, random, profile);
    for (const signature of signatures(engine)) found.add(signature);
  }
  return [...found];
}

test('two plain writes without a lock race in every schedule, whichever comes first', async () => {
  const { engine, profile } = search.engineFor('data-race', 'unfixed');
  const strategy = await search.loadStrategy('random', { depth: 2 });
  const random = new search.Random();
  for (let index = 0; index < 200; index++) {
    random.seed(1, index);
    engine.run(strategy, random, profile);
    expect(signatures(engine)).toEqual(['data-race: write_plainly writes, write_plainly writes']);
  }
});

test('under a lock they do not', async () => {
  expect(await find('data-race', 'fixed', 200)).toEqual([]);
});

test.each(['minimal', 'atomicity', 'lost-update'])('%s has no plain race: its finding is of another kind', async (name) => {
  expect((await find(name, 'unfixed', 300)).filter((signature) => signature.startsWith('data-race'))).toEqual([]);
});

test('the emulated kernel protects what it accesses plainly', async () => {
  expect(await find('ksm-exit', 'fixed', 1500)).toEqual([]);
});
