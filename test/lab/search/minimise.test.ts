/** Minimising: the same finding, and nothing in the schedule that could be left out. */
import { beforeAll, describe, expect, test } from 'vitest';
import { loadSearch, type Search, signatures } from './support.ts';

let search: Search;
beforeAll(async () => {
  search = await loadSearch({ lockdep: 'on', arenaBytes: 32 << 20 });
});

/** Findings as a campaign of this strategy and seed makes them. */
const FINDINGS = [
  ['ksm-exit', 'unfixed', 'pct', 1, {}],
  ['ksm-exit', 'unfixed', 'pos', 2, {}],
  ['ksm-exit', 'unfixed', 'pct', 3, { vmas: 3 }],
  ['ksm-exit', 'unfixed', 'portfolio', 4, { scanned: true }],
  ['ksm-exit', 'unfixed', 'random', 5, { scanned: true }],
  ['minimal', 'unfixed', 'random', 6, {}],
  ['lost-update', 'unfixed', 'random', 7, { tasks: 4, vmas: 2 }],
  ['use-after-free', 'unfixed', 'urw', 8, {}],
  ['atomicity', 'unfixed', 'surw', 9, { tasks: 4 }],
  ['depth', 'depth-3', 'random', 10, {}],
] as const;

describe.each(FINDINGS)('%s %s by %s, seed %i %o', (name, variant, strategyName, seed, more) => {
  test('ends 1-minimal', async () => {
    const session = search.engineFor(name, variant, more);
    const { engine, profile } = session;
    const strategy = await search.loadStrategy(strategyName, { depth: 3 });
    const random = new search.Random();
    let signature: string | undefined;
    for (let index = 0; index < 20_000 && signature === undefined; index++) {
      random.seed(seed, index);
      engine.run(strategy, random, profile);
      signature = signatures(engine)[0];
    }
    expect(signature).toBeDefined();
    const before = { preemptions: engine.preemptions, switches: engine.switches };
    const minimal = new search.Minimiser(session, signature as string).minimise(engine.segments());
    expect(minimal).toBeDefined();
    if (minimal === undefined) return;
    expect(minimal.preemptions).toBeLessThanOrEqual(before.preemptions);

    const finds = (runs: readonly { task: number; steps: number }[]): boolean => {
      engine.run(new search.ReplayRuns(runs), random, profile);
      return signatures(engine).includes(signature as string) && engine.preemptionsUpTo(minimal.steps) <= minimal.preemptions;
    };
    expect(finds(minimal.runs)).toBe(true);
    // Whatever is found without one of the runs is not shorter.
    for (let i = 0; i < minimal.runs.length; i++) {
      engine.run(new search.ReplayRuns(minimal.runs.filter((_, j) => j !== i)), random, profile);
      const at = engine.found.findIndex((id) => engine.findings.all[id]?.signature === signature);
      if (at < 0) continue;
      const steps = engine.foundAt[at] as number;
      const cost = [engine.preemptionsUpTo(steps), engine.segments().length, steps];
      expect(cost >= [minimal.preemptions, minimal.runs.length, minimal.steps]).toBe(true);
    }
    if (name === 'ksm-exit') expect(minimal.preemptions).toBeLessThanOrEqual(1);
  });
});

test('the race needs one preemption when ksmd has not scanned, and none when it has', async () => {
  for (const [scanned, needed] of [
    [false, 1],
    [true, 0],
  ] as const) {
    const { engine, profile } = search.engineFor('ksm-exit', 'unfixed', { scanned });
    const counts = [0, 1].map((bound) => {
      const strategy = new search.Bounded(bound);
      let found = 0;
      do {
        engine.run(strategy, new search.Random(), profile);
        if (engine.found.length > 0) found++;
      } while (strategy.advance());
      return found;
    });
    expect(counts.findIndex((n) => n > 0)).toBe(needed);
  }
});
