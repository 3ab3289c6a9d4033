/** The options that `fuzz`, `explore`, `replay` and `minimize` share: which scenario, how much of it, on how many threads. */
import { availableParallelism } from 'node:os';
import type { Scenario } from '../kernel/scenarios/scenario.ts';
import { UsageError } from '../lab/errors.ts';
import type { SearchBoot } from '../lab/search/pool.ts';
import type { Subject } from '../lab/search/session.ts';
import { type Arguments, quoted } from './arguments.ts';
import type { OptionTable } from './command.ts';
import { common } from './common-options.ts';
import { didYouMean } from './nearest.ts';
import { steppedVariantModule } from './search-variant.ts';
import { MOST_FRAMES, MOST_PAGES, MOST_VMAS } from './subject-check.ts';

const MOST_THREADS = 64;
/** Most orderings that a strategy aims at. */
export const MOST_DEPTH = 100;

export const subjectOptionTable = {
  ...common('scenario', 'variant', 'vmas'),
  tasks: { kind: 'value', value: 'N', help: "how many of the scenario's tasks run (default: the least, for ksm-exit 2)" },
  pages: { kind: 'value', value: 'N', help: 'touched pages per area (default 1)' },
  frames: { kind: 'value', value: 'N', help: 'page frames that there are once all is set up (default: as the scenario has it)' },
  scanned: { kind: 'value', value: 'yes|no', help: 'has ksmd scanned the process before? (default no)' },
} as const satisfies OptionTable;

export const threadOptionTable = {
  workers: { kind: 'value', value: 'N', help: 'search threads, one engine each (default: one per core)' },
  lockdep: { kind: 'value', value: 'on|off', help: 'the lock validator (default on)' },
  'check-pages': { kind: 'flag', help: "hold KSM's counters, lists and trees against the page tables after each schedule" },
  races: { kind: 'flag', help: 'look for data races on plain accesses as well (FastTrack); slower' },
} as const satisfies OptionTable;

/** Scenario and workload, checked. @throws UsageError */
export async function subjectOf(args: Arguments): Promise<Subject> {
  const { scenarios } = await import('../kernel/scenarios/index.ts');
  const name = args.text('scenario') ?? 'ksm-exit';
  const names = scenarios.map((scenario) => scenario.name);
  const scenario = scenarios.find((s) => s.name === name);
  if (scenario === undefined)
    throw new UsageError(`--scenario ${quoted(name)} is not one of ${names.join(', ')}${didYouMean(name, names)}`);
  const variants = scenario.variants.filter((variant) => variant !== 'user');
  const ofTheUser = variantFile(args) !== undefined && scenario.variants.includes('user');
  const variant = ofTheUser ? 'user' : args.choice('variant', variants, variants[0] as string);
  const [least, most] = scenario.taskLimits;
  const { defaults } = scenario;
  return {
    scenario: name,
    workload: {
      variant,
      tasks: args.whole('tasks', least, { min: least, max: most }),
      vmas: args.whole('vmas', defaults.vmas, { min: 1, max: MOST_VMAS }),
      pages: args.whole('pages', defaults.pages, { min: 1, max: MOST_PAGES }),
      processes: defaults.processes,
      ...framesOf(args, scenario),
      scanned: args.choice('scanned', ['yes', 'no'], defaults.scanned ? 'yes' : 'no') === 'yes',
    },
  };
}

/** The limit of page frames, if one was given. */
function framesOf(args: Arguments, { name, limitsFrames }: Scenario): { frames?: number } {
  if (!args.has('frames')) return {};
  if (limitsFrames !== true)
    throw new UsageError(`--frames ${quoted(args.text('frames') ?? '')} is of no use: scenario ${name} has no pages`);
  return { frames: args.whole('frames', 0, { min: 1, max: MOST_FRAMES }) };
}

/** The file of a variant of the user's own, if --variant names one. */
function variantFile(args: Arguments): string | undefined {
  const text = args.text('variant');
  return text !== undefined && /[./\\]/.test(text) ? text : undefined;
}

/** Number of search threads. */
export function threadsOf(args: Arguments): number {
  return args.whole('workers', availableParallelism(), { min: 1, max: MOST_THREADS });
}

/** How search threads start. @throws UsageError */
export function bootOf(args: Arguments): SearchBoot {
  const file = variantFile(args);
  const variant = file === undefined ? {} : steppedVariantModule(file);
  const checks = { races: args.has('races'), checkPages: args.has('check-pages') };
  return { lockdep: args.choice('lockdep', ['on', 'off'], 'on'), ...checks, ...variant };
}
