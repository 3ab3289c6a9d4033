/** The options of `stress`, checked. */
import { existsSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { scenarios } from '../kernel/scenarios/list.ts';
import { UsageError } from '../lab/errors.ts';
import type { Checks, Play, StressOptions, ToggleStep } from '../lab/stress/orders.ts';
import { type Arguments, quoted } from './arguments.ts';
import type { OptionTable } from './command.ts';
import { common } from './common-options.ts';
import { didYouMean } from './nearest.ts';
import { subjectOf } from './search-options.ts';
import { MOST_FRAMES } from './subject-check.ts';

export const stressOptionTable = {
  shape: {
    kind: 'value',
    value: 'paired|organic',
    help: 'ksm-exit: one pass against one exit per trial, or like the reproducer (default paired)',
  },
  ...common('scenario', 'variant', 'vmas'),
  tasks: { kind: 'value', value: 'N', help: "how many of a scenario's tasks run (default: the least)" },
  scanned: { kind: 'value', value: 'yes|no|mix', help: 'paired: has ksmd scanned the process before? (default mix)' },
  delay: { kind: 'value', value: 'none|random|aimed', help: 'waits at scheduling points; aimed learns from its hits (default none)' },
  pages: { kind: 'value', value: 'N', help: 'touched pages per process (default: one per area; organic 64)' },
  'page-bytes': {
    kind: 'value',
    value: 'N',
    help: 'write N bytes to each page, a power of two up to 4096 (default: one number, which needs no memory)',
  },
  frames: { kind: 'value', value: 'N', help: 'page frames that there are; without one a process is killed (default: as many as fit)' },
  toggle: { kind: 'value', value: 'LIST', help: 'organic: what is written to run, and the sleep after (default 1:20ms,2:0ms)' },
  life: { kind: 'value', value: 'MS', help: 'organic: mean time from the last page to the exit, in ms (default 3)' },
  rest: { kind: 'value', value: 'MS', help: 'organic: mean time from an exit to the next fork, in ms (default 7)' },
  watch: { kind: 'flag', help: "organic: KSM's counters while it runs; in place on a terminal, else a line a second" },
  ...common('seconds', 'trials'),
  'until-report': { kind: 'flag', help: 'stop at the first report' },
  workers: {
    kind: 'value',
    value: 'N',
    help: 'paired: threads, two per pair (default 2); organic: forking processes (default 4); other scenarios: one per task',
  },
  lockdep: { kind: 'value', value: 'on|stop|off', help: 'the lock validator; stop: off after its first report (default on)' },
  'lockdep-classes': { kind: 'value', value: 'N', help: 'lock classes that the validator can tell apart (default 8192)' },
  'lockdep-entries': { kind: 'value', value: 'N', help: 'entries of its lists, two for each dependency (default 32768)' },
  'lockdep-chains': { kind: 'value', value: 'N', help: 'chains of held locks that it remembers (default 65536)' },
  check: {
    kind: 'value',
    value: 'LIST',
    help: 'heap (freed memory, leaks), refs (counts, who took and dropped), pages (KSM against the page tables, after each trial), as heap,refs, all or none (default refs; heap halves the rate)',
  },
  'hung-task-seconds': {
    kind: 'value',
    value: 'S',
    help: 'report tasks that are blocked for longer than so many seconds (default 10; other scenarios 3)',
  },
  'no-record': { kind: 'flag', help: 'no flight recorder, so no diagrams' },
  ...common('arena', 'seed', 'out', 'expect'),
} as const satisfies OptionTable;

/** Upper bounds; what the arena holds is found out when it is full. */
const MOST_VMAS = 2 ** 20;
const MOST_WORKERS = 60;
const MOST_SECONDS = 1e7;
const DEFAULT_SECONDS = 10;

/** `1:20ms,2:0ms` as steps. */
export function parseToggle(text: string): ToggleStep[] {
  const steps = text.split(',').map((step) => {
    const match = /^([012]):(\d+(?:\.\d+)?)(us|ms|s)?$/.exec(step);
    if (match === null)
      throw new UsageError(`--toggle ${quoted(text)} is not a list like 1:20ms,2:0ms (value 0, 1 or 2, then us, ms or s)`);
    const scale = match[3] === 's' ? 1000 : match[3] === 'us' ? 0.001 : 1;
    return { value: Number(match[1]), ms: Number(match[2]) * scale };
  });
  if (new Set(steps.map(({ value }) => value)).size < 2) {
    throw new UsageError(`--toggle ${quoted(text)} never changes the value, so that no pass would be made`);
  }
  return steps;
}

/** The scenario that real threads have shapes of their own for; all others have one: their tasks, trial after trial. */
const SHAPED = 'ksm-exit';
/** A trial of a scenario is over in a moment, so that its tasks need not be waited for as long as others. */
const HUNG_SECONDS = { shaped: 10, scenario: 3 };

/** What to play of a scenario without shapes of its own. */
async function playOf(args: Arguments): Promise<Play | undefined> {
  if ((args.text('scenario') ?? SHAPED) === SHAPED) {
    if (args.has('tasks')) throw new UsageError(`--tasks ${quoted(args.text('tasks') ?? '')} is for other scenarios than ${SHAPED}`);
    return undefined;
  }
  const { scenario, workload } = await subjectOf(args);
  for (const name of ['toggle', 'life', 'rest'] as const)
    if (args.has(name)) throw new UsageError(`--${name} ${quoted(args.text(name) ?? '')} is for --shape organic`);
  for (const [name, value] of [
    ['shape', 'organic'],
    ['delay', 'aimed'],
  ] as const)
    if (args.text(name) === value) throw new UsageError(`--${name} ${value} is for --scenario ${SHAPED}`);
  const { findScenario } = await import('../kernel/scenarios/index.ts');
  return { scenario, workload, tasks: (findScenario(scenario)?.tasks(workload) ?? []).map(({ name }) => name) };
}

/** A variant's name, or a module of the user's. */
function variantOf(args: Arguments, scenario: string): Pick<StressOptions, 'variant' | 'variantModule'> {
  const text = args.text('variant') ?? 'unfixed';
  const names = scenarios.find(({ name }) => name === scenario)?.variants.map(({ name }) => name) ?? [];
  if (names.includes(text)) return { variant: text };
  if (!/[./\\]/.test(text))
    throw new UsageError(`--variant ${quoted(text)} is not one of ${names.join(', ')}, nor a file${didYouMean(text, names)}`);
  const file = resolve(text);
  if (!existsSync(file) || !statSync(file).isFile()) throw new UsageError(`--variant ${quoted(text)}: there is no such file`);
  return { variant: basename(file), variantModule: pathToFileURL(file).href };
}

/** A seed: given, or from the clock. */
export function seedOf(args: Arguments): number {
  return args.whole('seed', Math.floor(Date.now() % 2 ** 31), { min: 0, max: 2 ** 32 - 1 });
}

/** Table sizes of the validator, by option and field. */
const LIMITS = [
  ['lockdep-classes', 'lockdepClasses', 65_535],
  ['lockdep-entries', 'lockdepEntries', 2 ** 22],
  ['lockdep-chains', 'lockdepChains', 2 ** 22],
] as const;

/** The table sizes that were given. */
function limitsOf(args: Arguments): StressOptions['limits'] {
  const limits: StressOptions['limits'] = {};
  for (const [name, field, max] of LIMITS) {
    if (!args.has(name)) continue;
    if (args.text('lockdep') === 'off') throw new UsageError(`--${name} ${quoted(args.text(name) ?? '')} is of no use with --lockdep off`);
    limits[field] = args.whole(name, 0, { min: 4, max });
  }
  return limits;
}

const CHECKS = ['heap', 'refs', 'pages', 'all', 'none'] as const;

/** `heap,refs,pages`, `all` or `none` as switches. */
function checksOf(args: Arguments): Checks {
  const text = args.text('check') ?? 'refs';
  const named = text.split(',');
  for (const name of named) {
    if (!CHECKS.some((check) => check === name)) {
      throw new UsageError(`--check ${quoted(text)} is not a list of heap, refs, pages, nor all or none${didYouMean(name, CHECKS)}`);
    }
  }
  if (named.length > 1 && (named.includes('all') || named.includes('none'))) {
    throw new UsageError(`--check ${quoted(text)}: all and none stand alone`);
  }
  const wants = (name: string): boolean => named.includes(name) || named.includes('all');
  return { heap: wants('heap'), refs: wants('refs'), pages: wants('pages') };
}

/** How much of each page is written. */
function pageBytesOf(args: Arguments, play: Play | undefined): number {
  const bytes = args.whole('page-bytes', 0, { min: 64, max: 4096 });
  if ((bytes & (bytes - 1)) !== 0) throw new UsageError(`--page-bytes ${bytes} is no power of two`);
  if (bytes > 0 && play !== undefined) throw new UsageError(`--page-bytes ${bytes} is for --scenario ${SHAPED}`);
  return bytes;
}

/** How many threads there are: worlds of their own share them evenly. */
function workersOf(args: Arguments, shape: string, play: Play | undefined): number {
  const each = play?.tasks.length ?? (shape === 'paired' ? 2 : 1);
  const workers = args.whole('workers', shape === 'organic' ? 4 : each, { min: 1, max: MOST_WORKERS });
  if (play !== undefined && workers % each !== 0)
    throw new UsageError(`--workers ${workers} is no multiple of ${each}: ${play.scenario} needs a thread for each task`);
  if (workers % each !== 0)
    throw new UsageError(`--workers ${workers} is odd: the paired shape needs two threads per pair, a scanner and a process`);
  return workers;
}

/** All options of `stress`. @throws UsageError */
export async function stressOptions(args: Arguments): Promise<StressOptions & { scenario: string }> {
  const play = await playOf(args);
  const shape = args.choice('shape', ['paired', 'organic'], 'paired');
  const vmas = play?.workload.vmas ?? args.whole('vmas', 1, { min: 1, max: MOST_VMAS });
  for (const [name, only] of [
    ['toggle', 'organic'],
    ['life', 'organic'],
    ['scanned', 'paired'],
    ['delay', 'paired'],
  ] as const) {
    if (args.has(name) && shape !== only && !(name === 'delay' && args.text('delay') !== 'aimed')) {
      throw new UsageError(`--${name} ${quoted(args.text(name) ?? '')} is for --shape ${only}`);
    }
  }
  const trials = args.whole('trials', Number.POSITIVE_INFINITY, { min: 1, max: 1e12 });
  const noLimit = Number.isFinite(trials) || args.has('until-report');
  return {
    scenario: play?.scenario ?? SHAPED,
    shape: play === undefined ? shape : 'scenario',
    play,
    ...(play === undefined ? variantOf(args, SHAPED) : { variant: play.workload.variant }),
    vmas,
    pages: play?.workload.pages ?? args.whole('pages', shape === 'organic' ? Math.max(64, vmas) : vmas, { min: 1, max: MOST_VMAS }),
    pageBytes: pageBytesOf(args, play),
    frames: play === undefined ? args.whole('frames', 0, { min: 1, max: MOST_FRAMES }) : (play.workload.frames ?? 0),
    seed: seedOf(args),
    seconds: args.decimal('seconds', noLimit ? Number.POSITIVE_INFINITY : DEFAULT_SECONDS, { min: 0.01, max: MOST_SECONDS }),
    trials,
    workers: workersOf(args, shape, play),
    delay: args.choice('delay', ['none', 'random', 'aimed'], 'none'),
    scanned: play === undefined ? args.choice('scanned', ['yes', 'no', 'mix'], 'mix') : 'mix',
    toggle: parseToggle(args.text('toggle') ?? '1:20ms,2:0ms'),
    life: args.decimal('life', 3, { min: 0, max: 60_000 }),
    rest: args.decimal('rest', 7, { min: 0, max: 60_000 }),
    lockdep: args.choice('lockdep', ['on', 'stop', 'off'], 'on'),
    limits: limitsOf(args),
    checks: checksOf(args),
    hungTaskSeconds: args.decimal('hung-task-seconds', play === undefined ? HUNG_SECONDS.shaped : HUNG_SECONDS.scenario, {
      min: 0.5,
      max: MOST_SECONDS,
    }),
    record: !args.has('no-record'),
    arena: args.whole('arena', 64, { min: 1, max: 2047 }),
    untilReport: args.has('until-report'),
  };
}
