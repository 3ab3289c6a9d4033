/** Numbers of interleavings and traces, by formula and by brute force. */

import { beforeAll, describe, expect, test } from 'vitest';
import type { DporState } from '../../../src/lab/search/dpor-state.ts';
import { EveryInterleaving, loadSearch, type Search, signatures, walk } from './support.ts';

let search: Search;
beforeAll(async () => {
  search = await loadSearch();
});

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
/** Interleavings of `tasks` tasks of `steps` steps. */
const interleavings = (tasks: number, steps: number) => factorial(tasks * steps) / factorial(steps) ** tasks;

describe('by formula', () => {
  test.each([
    [2, 3],
    [2, 5],
    [3, 2],
    [4, 2],
  ])('%i tasks of %i steps', (tasks, vmas) => {
    const together = search.engineFor('steps', 'together', { tasks, vmas });
    expect(walk(search, together, new EveryInterleaving()).schedules).toBe(interleavings(tasks, vmas));
    expect(walk(search, together, new search.Dpor(tasks)).traces.size).toBe(interleavings(tasks, vmas));
    for (const variant of ['apart', 'readers']) {
      const independent = search.engineFor('steps', variant, { tasks, vmas });
      const all = walk(search, independent, new search.Dpor(tasks));
      expect(all.schedules).toBe(1);
      expect(all.traces.size).toBe(1);
    }
    const locked = walk(search, search.engineFor('steps', 'locked', { tasks, vmas }), new search.Dpor(tasks));
    expect(locked.traces.size).toBe(interleavings(tasks, vmas));
  });

  test('schedules with at most K preemptions of two tasks on one word', () => {
    // A preemption falls between two steps of a task, and the other one follows: for K = 0 the two orders of whole tasks.
    const pair = search.engineFor('steps', 'together', { vmas: 3 });
    const counts = [0, 1, 2, 3, 4].map((bound) => walk(search, pair, new search.Bounded(bound)).schedules);
    expect(counts[0]).toBe(2);
    expect(counts.at(-1)).toBe(20);
    const seen = new Map<number, number>();
    const all = new EveryInterleaving();
    const random = new search.Random();
    do {
      pair.engine.run(all, random, pair.profile);
      seen.set(pair.engine.preemptions, (seen.get(pair.engine.preemptions) ?? 0) + 1);
    } while (all.advance());
    let sum = 0;
    for (const [bound, count] of counts.entries()) {
      sum += seen.get(bound) ?? 0;
      expect(count).toBe(sum);
    }
  });
});

describe('every trace against every interleaving', () => {
  test.each([
    ['ab-ba', 'unfixed', {}],
    ['ab-ba', 'fixed', {}],
    ['lost-update', 'unfixed', { vmas: 3 }],
    ['lost-update', 'unfixed', { tasks: 4 }],
    ['lost-update', 'fixed', { tasks: 3 }],
    ['use-after-free', 'unfixed', {}],
    ['use-after-free', 'fixed', {}],
    ['atomicity', 'unfixed', { tasks: 3 }],
    ['atomicity', 'fixed', { tasks: 3 }],
    ['depth', 'depth-4', {}],
    ['minimal', 'unfixed', {}],
    ['minimal', 'fixed', { vmas: 2 }],
  ] as const)('%s %s %o', (name, variant, more) => {
    const subject = search.engineFor(name, variant, more);
    const reduced = walk(search, subject, new search.Dpor(subject.engine.tasks.length));
    const brute = walk(search, subject, new EveryInterleaving());
    // No complete trace twice, none missing, and the same outcomes.
    expect(reduced.schedules).toBe(reduced.traces.size);
    expect([...reduced.traces].sort()).toEqual([...brute.traces].sort());
    expect([...reduced.outcomes].sort()).toEqual([...brute.outcomes].sort());
    expect(reduced.schedules).toBeLessThanOrEqual(brute.schedules);
  });

  test.each([
    ['ab-ba', {}],
    ['lost-update', {}],
    ['use-after-free', {}],
    ['atomicity', { tasks: 3 }],
    ['minimal', {}],
  ] as const)('%s %o: every random strategy comes to all outcomes that there are, and to no other', async (name, more) => {
    const subject = search.engineFor(name, 'unfixed', more);
    const { outcomes } = walk(search, subject, new EveryInterleaving());
    expect(outcomes.size).toBeGreaterThan(1);
    const random = new search.Random();
    for (const strategyName of search.strategyNames().filter((n) => n !== 'round-robin')) {
      const strategy = await search.loadStrategy(strategyName, { depth: 3 });
      const seen = new Set<string>();
      for (let index = 0; index < 3000; index++) {
        random.seed(5, index);
        subject.engine.run(strategy, random, subject.profile);
        seen.add(signatures(subject.engine).sort().join('; '));
      }
      expect([strategyName, ...[...seen].sort()]).toEqual([strategyName, ...[...outcomes].sort()]);
    }
  });

  test('the bare model of the race: a few traces, one of them reports, none with the fix', () => {
    const unfixed = walk(search, search.engineFor('minimal', 'unfixed'), new search.Dpor(2));
    const fixed = walk(search, search.engineFor('minimal', 'fixed'), new search.Dpor(2));
    expect(unfixed.bad).toBeGreaterThan(0);
    expect(fixed.bad).toBe(0);
    expect(fixed.traces.size).toBeLessThanOrEqual(133);
  });

  test.each([
    ['lost-update', 'unfixed', { tasks: 4 }, 5],
    ['use-after-free', 'unfixed', {}, 1],
    ['minimal', 'fixed', { vmas: 2 }, 1],
    ['ksm-exit', 'unfixed', { tasks: 3 }, 3],
  ] as const)('%s %s %o: a walk split after every %i runs comes to the same complete runs', (name, variant, more, every) => {
    const subject = search.engineFor(name, variant, more);
    const tasks = subject.engine.tasks.length;
    const whole = walk(search, subject, new search.Dpor(tasks));
    const hash = new search.TraceHash();
    const random = new search.Random();
    const traces: string[] = [];
    const open: (DporState | undefined)[] = [undefined];
    let splits = 0;
    subject.engine.observer = hash;
    // Were anything walked twice, there would be no end of it.
    while (open.length > 0 && traces.length <= whole.traces.size && splits < 10_000) {
      // As a checkpoint or another thread would get it.
      const state = open.shift();
      const dpor = new search.Dpor(tasks);
      if (state !== undefined) dpor.resume(JSON.parse(JSON.stringify(state)));
      let left = true;
      for (let run = 0; run < every && left; run++) {
        subject.engine.run(dpor, random, subject.profile);
        if (subject.engine.ending !== 'cut') traces.push(hash.text());
        left = dpor.advance();
      }
      if (!left) continue;
      const two = search.splitWalk(dpor.state());
      open.push(...(two ?? [dpor.state()]));
      if (two !== undefined) splits++;
    }
    subject.engine.observer = undefined;
    expect(splits).toBeGreaterThan(0);
    expect(traces.sort()).toEqual([...whole.traces].sort());
  });

  test('a walk that is broken off goes on where it was', () => {
    const subject = search.engineFor('lost-update', 'unfixed', { tasks: 4 });
    const whole = walk(search, subject, new search.Dpor(4));
    const hash = new search.TraceHash();
    const random = new search.Random();
    const traces = new Set<string>();
    subject.engine.observer = hash;
    let dpor = new search.Dpor(4);
    let runs = 0;
    for (let more = true; more; ) {
      subject.engine.run(dpor, random, subject.profile);
      if (subject.engine.ending !== 'cut') {
        traces.add(hash.text());
        runs++;
      }
      more = dpor.advance();
      if (more && runs % 50 === 0) {
        const state = JSON.parse(JSON.stringify(dpor.state()));
        dpor = new search.Dpor(4);
        dpor.resume(state);
      }
    }
    subject.engine.observer = undefined;
    expect(runs).toBe(whole.schedules);
    expect(traces).toEqual(whole.traces);
  });
});
