/** Loads the search from dist/, where the stepped kernel lies beside it. One boot per test file. */
import type { Engine } from '../../../src/lab/search/engine.ts';
import type { Strategy } from '../../../src/lab/search/strategy.ts';
import type { BootOptions } from '../../../src/machine/boot.ts';

/** Compiled, this file lies in dist/ itself. */
const folder = new URL(import.meta.url.endsWith('.ts') ? '../../../dist/' : '../../../', import.meta.url);
const dist = (path: string) => new URL(`src/${path}`, folder).href;

/** Everything that a test needs, from one set of modules. */
export async function loadSearch(boot: Partial<BootOptions> = {}) {
  const { configureBoot } = (await import(dist('machine/boot.js'))) as typeof import('../../../src/machine/boot.ts');
  configureBoot({ stepped: true, arenaBytes: 8 << 20, lockdep: 'off', heapCheck: true, ...boot });
  const load = async <T>(name: string) => (await import(dist(`lab/search/${name}.js`))) as T;
  const { Engine } = await load<typeof import('../../../src/lab/search/engine.ts')>('engine');
  const { measure } = await load<typeof import('../../../src/lab/search/profile.ts')>('profile');
  const { Random } = await load<typeof import('../../../src/lab/search/random.ts')>('random');
  const { TraceHash } = await load<typeof import('../../../src/lab/search/trace-hash.ts')>('trace-hash');
  const { Dpor } = await load<typeof import('../../../src/lab/search/dpor.ts')>('dpor');
  const { splitWalk } = await load<typeof import('../../../src/lab/search/dpor-state.ts')>('dpor-state');
  const { Bounded } = await load<typeof import('../../../src/lab/search/bounded.ts')>('bounded');
  const { Minimiser } = await load<typeof import('../../../src/lab/search/minimise.ts')>('minimise');
  const { ReplayRuns } = await load<typeof import('../../../src/lab/search/replay-runs.ts')>('replay-runs');
  const { loadStrategy, strategyNames } = await load<typeof import('../../../src/lab/search/strategy.ts')>('strategy');
  const stepped = new URL('stepped/kernel/scenarios/index.js', folder).href;
  const { findScenario } = (await import(stepped)) as typeof import('../../../src/kernel/scenarios/index.ts');

  /** An engine for a scenario; the workload's other numbers are the scenario's defaults. */
  function engineFor(name: string, variant: string, more: { tasks?: number; vmas?: number; scanned?: boolean } = {}) {
    const scenario = findScenario(name);
    if (scenario === undefined) throw new Error(`no scenario ${name}`);
    const engine = new Engine(scenario, { ...scenario.defaults, variant, tasks: scenario.taskLimits[0], ...more });
    return { engine, profile: measure(engine) };
  }
  return { engineFor, measure, Random, TraceHash, Dpor, splitWalk, Bounded, Minimiser, ReplayRuns, loadStrategy, strategyNames };
}

export type Search = Awaited<ReturnType<typeof loadSearch>>;

/** Naive depth-first walk over all interleavings: what everything else is held against. */
export class EveryInterleaving implements Strategy {
  private readonly stack: { task: number; open: number }[] = [];
  private at = 0;
  begin(): void {
    this.at = 0;
  }
  choose({ runnable }: { runnable: number }): number {
    if (this.at === this.stack.length) {
      const task = 31 - Math.clz32(runnable & -runnable);
      this.stack.push({ task, open: runnable & ~(1 << task) });
    }
    return (this.stack[this.at++] as { task: number }).task;
  }
  advance(): boolean {
    for (let last = this.stack.at(-1); last !== undefined; last = this.stack.at(-1)) {
      if (last.open !== 0) {
        last.task = 31 - Math.clz32(last.open & -last.open);
        last.open &= last.open - 1;
        return true;
      }
      this.stack.pop();
    }
    return false;
  }
}

/** Signatures of the engine's last schedule. */
export function signatures(engine: Engine): string[] {
  return engine.found.map((id) => engine.findings.all[id]?.signature ?? '?');
}

/** What a walk over schedules saw. */
export interface Walked {
  schedules: number;
  /** Schedules with a finding. */
  bad: number;
  traces: Set<string>;
  outcomes: Set<string>;
}

/** Runs `strategy` until its walk is over. */
export function walk(
  search: Search,
  { engine, profile }: ReturnType<Search['engineFor']>,
  strategy: Strategy & { advance(): boolean },
): Walked {
  const hash = new search.TraceHash();
  const random = new search.Random();
  const out: Walked = { schedules: 0, bad: 0, traces: new Set(), outcomes: new Set() };
  engine.observer = hash;
  do {
    engine.run(strategy, random, profile);
    if (engine.ending === 'cut') continue;
    out.schedules++;
    out.traces.add(hash.text());
    if (engine.found.length > 0) out.bad++;
    out.outcomes.add(signatures(engine).sort().join('; '));
  } while (strategy.advance());
  engine.observer = undefined;
  return out;
}

/** Pearson's chi-square of counts against expected shares. */
export function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.reduce((sum, n, i) => sum + (n - total * (shares[i] as number)) ** 2 / (total * (shares[i] as number)), 0);
}
