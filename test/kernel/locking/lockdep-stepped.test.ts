/**
 * Lock cases, stepped: several at a time on one graph, their calls interleaved by every strategy. Each must be judged as it is
 * when it runs alone on a real thread: the vectors of the kernel's suite at the same call by the same kind of report, our own
 * cases by the same kinds in the same order.
 */
import { existsSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import type { LockProgramOutcome } from '../../../src/kernel/scenarios/lock-programs.ts';
import type { Scenario } from '../../../src/kernel/scenarios/scenario.ts';
import type { Engine } from '../../../src/lab/search/engine.ts';
import type { Strategy } from '../../../src/lab/search/strategy.ts';
import type { BootOptions } from '../../../src/machine/boot.ts';
import { CASE_MODULES, type CaseKernel } from './case-kernel.ts';
import { type OwnCase, ownCases } from './own-cases.ts';

const TOGETHER = 4;

const place = (path: string) => new URL(`../../../dist/${path}`, import.meta.url);
const dist = (path: string) => import(place(path).href);

async function load() {
  const { configureBoot } = (await dist('src/machine/boot.js')) as typeof import('../../../src/machine/boot.ts');
  const tables = { lockdepClasses: 1024, lockdepEntries: 8192, lockdepChains: 4096 };
  configureBoot({ stepped: true, arenaBytes: 16 << 20, lockdep: 'on', ...tables } satisfies Partial<BootOptions>);
  const { Engine } = (await dist('src/lab/search/engine.js')) as typeof import('../../../src/lab/search/engine.ts');
  const { measure } = (await dist('src/lab/search/profile.js')) as typeof import('../../../src/lab/search/profile.ts');
  const { Random } = (await dist('src/lab/search/random.js')) as typeof import('../../../src/lab/search/random.ts');
  const strategies = (await dist('src/lab/search/strategy.js')) as typeof import('../../../src/lab/search/strategy.ts');
  const { readVectors } = (await dist(
    'src/lab/selftest-lockdep/vector.js',
  )) as typeof import('../../../src/lab/selftest-lockdep/vector.ts');
  const { KINDS } = (await dist(
    'src/lab/selftest-lockdep/run-vector.js',
  )) as typeof import('../../../src/lab/selftest-lockdep/run-vector.ts');
  const { readReport } = (await dist('src/kernel/printk.js')) as typeof import('../../../src/kernel/printk.ts');
  const programs = (await dist(
    'stepped/kernel/scenarios/lock-programs.js',
  )) as typeof import('../../../src/kernel/scenarios/lock-programs.ts');
  const step = (await dist('src/machine/stepped/step.js')) as typeof import('../../../src/machine/stepped/step.ts');
  const memory = (await dist('src/machine/memory.js')) as typeof import('../../../src/machine/memory.ts');
  const door = (await dist('src/machine/door.js')) as typeof import('../../../src/machine/door.ts');
  const { POINT_RMW } = (await dist('src/machine/points.js')) as typeof import('../../../src/machine/points.ts');
  const names = strategies.strategyNames();
  const all = await Promise.all(names.map(async (name) => [name, await strategies.loadStrategy(name, { depth: 3 })] as const));
  return { Engine, measure, Random, all, readVectors, readReport, KINDS, programs, step, memory, door, POINT_RMW };
}
let lab: Awaited<ReturnType<typeof load>>;
beforeAll(async () => {
  lab = await load();
});

/** Plays schedules of each strategy. @returns preemptions */
function eachSchedule(
  engine: Engine,
  seeds: number,
  strategies: readonly (readonly [string, Strategy])[],
  after: (name: string) => void,
): number {
  const random = new lab.Random();
  const profile = lab.measure(engine);
  let preemptions = 0;
  for (const [name, strategy] of strategies) {
    for (let index = 0; index < seeds; index++) {
      random.seed(1, index);
      engine.run(strategy, random, profile);
      preemptions += engine.preemptions;
      after(name);
    }
  }
  return preemptions;
}

test("the suite's 287 vectors under every strategy", () => {
  const { readVectors, readReport, KINDS, programs, all } = lab;
  const vectors = readVectors([new URL('../../fixtures/lockdep/vectors.jsonl.gz', import.meta.url).pathname]);
  const wrong: string[] = [];
  const met = new Set<string>();
  let preemptions = 0;
  for (let from = 0; from < vectors.length; from += TOGETHER) {
    // Neighbours in the file are alike: take them from all over it.
    const group = Array.from(
      { length: Math.min(TOGETHER, vectors.length - from) },
      (_, i) => vectors[((from + i) * 101) % vectors.length] as (typeof vectors)[number],
    );
    programs.setLockPrograms(group);
    const engine = new lab.Engine(programs.lockPrograms, { ...programs.lockPrograms.defaults, variant: 'cases', tasks: group.length });
    preemptions += eachSchedule(engine, 2, all, (name) => {
      if (engine.ending !== 'done') wrong.push(`${group.map(({ id }) => id).join(', ')} under ${name}: ${engine.ending}`);
      for (const [i, vector] of group.entries()) {
        met.add(`${vector.id} ${name}`);
        const { atOp, report, wrong: result } = programs.lockProgramOutcomes()[i] as LockProgramOutcome;
        if (result !== '') wrong.push(`${vector.id} under ${name}: ${result}`);
        const kind = report < 0 ? undefined : (readReport(report)?.kind ?? '');
        const { expect: verdict, report: expected } = vector;
        const said = [atOp < 0 ? 'SUCCESS' : 'FAILURE'];
        const want: string[] = [verdict];
        if (expected !== null) {
          said.push(KINDS[kind ?? ''] ?? kind ?? '', `at ${atOp}`);
          want.push(expected.kind, `at ${expected.at_op ?? atOp}`);
        }
        if (said.join() !== want.join()) wrong.push(`${vector.id} under ${name}: ${said.join(' ')} instead of ${want.join(' ')}`);
      }
    });
  }
  expect(wrong.slice(0, 20)).toEqual([]);
  expect(met.size).toBe(287 * all.length);
  // The strategies did come between the calls.
  expect(preemptions).toBeGreaterThan(3000);
});

/** Our own cases against the stepped kernel. Each takes its memory from a stretch of its own, the same at every play. */
async function steppedCases(): Promise<{ cases: OwnCase[]; begin: (i: number) => void }> {
  const modules = CASE_MODULES.map((name) => `stepped/kernel/${name}.js`);
  const loaded = await Promise.all(modules.map((path) => dist(existsSync(place(path)) ? path : path.replace('stepped/', 'src/'))));
  const kernel = Object.assign({}, ...loaded, { get: lab.door.get }) as CaseKernel;
  const used: number[] = [];
  const cases = ownCases({ ...kernel, sbrk: lab.memory.sbrk }).map((_, i) => {
    const stretch = lab.memory.sbrk(4096, 64, 'the locks of a case');
    const take = (bytes: number): number => {
      used[i] = (used[i] as number) + Math.ceil(bytes / 8) * 8;
      return stretch + (used[i] as number) - Math.ceil(bytes / 8) * 8;
    };
    return ownCases({ ...kernel, sbrk: take })[i] as OwnCase;
  });
  lab.memory.sbrk(64, 64, 'the end of the cases');
  return {
    cases,
    begin: (i) => {
      used[i] = 0;
    },
  };
}

test('our own cases under every strategy', async () => {
  const { step, POINT_RMW, all } = lab;
  const { cases, begin } = await steppedCases();
  const wrong: string[] = [];
  let met = 0;
  let preemptions = 0;
  for (let from = 0; from < cases.length; from += 3) {
    const group = Array.from({ length: TOGETHER }, (_, i) => (from + i * 7) % cases.length).filter(
      (i) => cases[from]?.alone !== true || i === from,
    );
    const members = group.filter((i) => i === from || cases[i]?.alone !== true);
    /** One task, stepping after each call of its case. */
    const play = function* (_workload: unknown, index: number): Generator<undefined, void, undefined> {
      const i = members[index] as number;
      begin(i);
      for (const _ of (cases[i] as OwnCase).run()) if (step.__step__(POINT_RMW, 64)) yield;
    };
    const scenario: Scenario = {
      name: 'own-cases',
      summary: '',
      variants: ['cases'],
      taskLimits: [1, TOGETHER],
      defaults: { vmas: 1, pages: 0, processes: 0, scanned: false },
      tasks: () => members.map((i) => ({ name: `case-${i}`, run: play as unknown as () => void })),
      setUp: () => {},
      check: () => [],
      tearDown: () => {},
    };
    const engine = new lab.Engine(scenario, { ...scenario.defaults, variant: 'cases', tasks: members.length });
    const finders: number[] = [];
    engine.onFinding = () => finders.push(engine.current);
    preemptions += eachSchedule(engine, 10, all, (name) => {
      for (const [task, i] of members.entries()) {
        const of = finders.slice(-engine.found.length);
        const said = engine.found.filter((_, n) => of[n] === task).map((id) => engine.findings.all[id]?.kind);
        const { name: called, kinds } = cases[i] as OwnCase;
        met++;
        if (said.join() !== kinds.join()) wrong.push(`${called}, under ${name}: ${said.join()} instead of ${kinds.join()}`);
      }
      finders.length = 0;
    });
  }
  expect(wrong.slice(0, 20)).toEqual([]);
  expect(met).toBeGreaterThan(cases.length * all.length * 10);
  expect(preemptions).toBeGreaterThan(2000);
});
