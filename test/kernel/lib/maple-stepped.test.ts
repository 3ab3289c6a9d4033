/** Readers without locks against a writer: every schedule with at most two preemptions. */
import { describe, expect, it } from 'vitest';
import type { BootOptions } from '../../../src/machine/boot.ts';

const dist = (path: string) => new URL(`../../../dist/${path}`, import.meta.url).href;

/** The stepped machine, loaded once: a boot lasts as long as its thread. */
const loaded = (async () => {
  const { configureBoot } = (await import(dist('src/machine/boot.js'))) as typeof import('../../../src/machine/boot.ts');
  configureBoot({ stepped: true, arenaBytes: 8 << 20, lockdep: 'off', heapCheck: true } satisfies Partial<BootOptions>);
  const { Engine } = (await import(dist('src/lab/search/engine.js'))) as typeof import('../../../src/lab/search/engine.ts');
  const { measure } = (await import(dist('src/lab/search/profile.js'))) as typeof import('../../../src/lab/search/profile.ts');
  const { Random } = (await import(dist('src/lab/search/random.js'))) as typeof import('../../../src/lab/search/random.ts');
  const { Bounded } = (await import(dist('src/lab/search/bounded.js'))) as typeof import('../../../src/lab/search/bounded.ts');
  const index = (await import(dist('stepped/kernel/scenarios/index.js'))) as typeof import('../../../src/kernel/scenarios/index.ts');
  return { Engine, measure, Random, Bounded, findScenario: index.findScenario };
})();

/** Runs all schedules with at most `bound` preemptions. */
async function allSchedules(variant: string, bound: number): Promise<{ schedules: number; bad: number; what: Set<string> }> {
  const { Engine, measure, Random, Bounded, findScenario } = await loaded;
  const scenario = findScenario('maple-rcu');
  if (scenario === undefined) throw new Error('there is no scenario maple-rcu');
  const engine = new Engine(scenario, { ...scenario.defaults, variant, tasks: 3 });
  const profile = measure(engine);
  const strategy = new Bounded(bound);
  const random = new Random();
  const result = { schedules: 0, bad: 0, what: new Set<string>() };
  do {
    engine.run(strategy, random, profile);
    result.schedules++;
    if (engine.found.length > 0) result.bad++;
    for (const id of engine.found) result.what.add(engine.findings.all[id]?.title ?? 'unknown');
    expect(engine.ending).toBe('done');
  } while (strategy.advance());
  return result;
}

describe('one writer and two readers on a tree of two levels', () => {
  it('with nodes replaced, no schedule shows a reader what was never true', async () => {
    const { schedules, bad, what } = await allSchedules('rcu', 2);
    expect([...what]).toEqual([]);
    expect(bad).toBe(0);
    expect(schedules).toBeGreaterThan(1000);
  });

  it('with nodes changed in place, some do: the check is awake', async () => {
    const { bad } = await allSchedules('in-place', 1);
    expect(bad).toBeGreaterThan(0);
  });
});
