/** `ksmrace overhead`: what each variant costs. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UsageError } from '../../lab/errors.ts';
import { writeOverhead } from '../../lab/overhead/files.ts';
import { experimentCount, OTHER_CONDITIONS, type OverheadOptions, runOverhead } from '../../lab/overhead/lab.ts';
import { LOADS, type LoadName } from '../../lab/overhead/organic-instrument.ts';
import { type Claim, USUAL } from '../../lab/overhead/result.ts';
import { overheadText } from '../../lab/overhead/text-report.ts';
import { ResultDirectory } from '../../lab/result-directory.ts';
import { type Arguments, quoted } from '../arguments.ts';
import type { Command } from '../command.ts';
import { common } from '../common-options.ts';
import { EXIT_NOTHING } from '../exit-codes.ts';
import { onInterrupt } from '../interrupt.ts';
import { didYouMean } from '../nearest.ts';

const VARIANTS = ['unfixed', 'fixed', 'both', 'linked-list'];
const USER = 'user';
const CLAIMS: Record<string, Claim> = { iteration: 'iteration', 'exit-latency': 'exitLatency', throughput: 'throughput' };
const MAX_VMAS = 1_000_000;
/** Fewer pairs than this make no rank test. */
const LEAST_PAIRS = 30;
/** Enough for the least pairs of everything on two cores, and as much again. */
const DEFAULT_SECONDS = 120;

/** The sizes: whole numbers with commas between. */
function sizes(text: string): number[] {
  const found = text.split(',').map((part) => {
    if (!/^\d+$/.test(part)) throw new UsageError(`--vmas ${quoted(text)} is not a list of whole numbers like 1,64,1024`);
    const n = Number(part);
    if (n < 1 || n > MAX_VMAS) throw new UsageError(`--vmas ${part} is out of range: it must be from 1 to ${MAX_VMAS}`);
    return n;
  });
  return [...new Set(found)].sort((a, b) => a - b);
}

/** A relative width: `0.5%` or `0.005`. */
function precision(text: string): number {
  const match = /^(\d+(?:\.\d*)?|\.\d+)(%?)$/.exec(text);
  if (match === null) throw new UsageError(`--precision ${quoted(text)} is not a share like 0.5% or 0.005`);
  const share = Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(share > 0 && share <= 1)) throw new UsageError(`--precision ${text} is out of range: it must be above 0 and at most 100%`);
  return share;
}

function chosen<T>(flag: string, text: string, known: Readonly<Record<string, T>>): T[] {
  return text.split(',').map((name) => {
    if (!Object.hasOwn(known, name)) {
      throw new UsageError(
        `--${flag} ${quoted(name)} is not one of ${Object.keys(known).join(', ')}${didYouMean(name, Object.keys(known))}`,
      );
    }
    return known[name] as T;
  });
}

/** Splits the variants into names of the kernel and a module of the user's. */
function variants(args: Arguments): { names: string[]; module: string | undefined } {
  const asked = args.texts('variant');
  const files = asked.filter((name) => /[./\\]/.test(name));
  if (files.length > 1)
    throw new UsageError(`--variant ${quoted(files[1] as string)}: only one module of your own can be measured at a time`);
  const [file] = files;
  if (file !== undefined && !existsSync(file)) throw new UsageError(`--variant ${quoted(file)}: there is no such file`);
  const known = Object.fromEntries(VARIANTS.map((name) => [name, name]));
  const names = asked.filter((name) => name !== file).flatMap((name) => chosen('variant', name, known));
  if (asked.length === 0) names.push(...VARIANTS);
  if (file !== undefined) names.push(USER);
  return { names: [...new Set(names)], module: file === undefined ? undefined : pathToFileURL(resolve(file)).href };
}

function parse(args: Arguments): OverheadOptions {
  const { names, module } = variants(args);
  const baseline = args.choice('baseline', [...VARIANTS, USER], 'unfixed');
  if (baseline === USER && module === undefined) throw new UsageError('--baseline user needs a module: --variant ./mine.mjs');
  const others = names.filter((name) => name !== baseline);
  if (others.length === 0) throw new UsageError(`--variant ${baseline} is the baseline itself: name another one to compare it with`);
  const conditions = { usual: [USUAL], all: [USUAL, ...OTHER_CONDITIONS] };
  return {
    vmas: sizes(args.text('vmas') ?? '1,16,64,256,1024,4096'),
    variants: others,
    baseline,
    claims: chosen('claims', args.text('claims') ?? Object.keys(CLAIMS).join(','), CLAIMS),
    conditions: conditions[args.choice('conditions', ['usual', 'all'], 'all')],
    order: args.choice('order', ['abba', 'random'], 'abba'),
    minPairs: args.whole('pairs', LEAST_PAIRS, { min: LEAST_PAIRS, max: 100_000 }),
    precision: precision(args.text('precision') ?? '0.5%'),
    seconds: args.decimal('seconds', DEFAULT_SECONDS, { min: 0.1, max: 86_400 }),
    load: args.choice('load', Object.keys(LOADS) as LoadName[], 'flat-out'),
    at: args.decimal('at', undefined, { min: 0, max: 1 }),
    seed: args.whole('seed', 1, { min: 0, max: 2 ** 31 - 1 }),
    boot: {
      arenaBytes: args.whole('arena', 64, { min: 16, max: 1024 }) << 20,
      lockdep: args.has('lockdep') ? 'on' : 'off',
      ...(module === undefined ? {} : { variantModule: module }),
    },
  };
}

/** The sentence for the user, with the file in place of its URL. */
function usageMessage(message: string, { boot: { variantModule } }: OverheadOptions): string {
  if (variantModule === undefined || !message.includes(variantModule)) return message;
  const file = basename(fileURLToPath(variantModule));
  return `--variant ${file}: ${message.replaceAll(variantModule, file)}`;
}

export const command: Command = {
  summary: 'what each variant costs: iteration, exit latency, throughput',
  order: 60,
  details:
    'Variants take turns in one process on the same two threads, and each is compared with the baseline in pairs of blocks.\n' +
    'The baseline is measured against itself first; if that shows a difference, nothing else counts. A machine that is too\n' +
    'noisy for the precision asked for is no error: the intervals say so.',
  options: {
    variant: {
      kind: 'values',
      value: 'NAME|FILE',
      help: 'what to measure (default: all); several times; a module of your own is called user',
    },
    baseline: { kind: 'value', value: 'NAME', help: 'what to compare with (default unfixed)' },
    vmas: { kind: 'value', value: 'N,N,...', help: 'memory areas per process (default 1,16,64,256,1024,4096)' },
    claims: { kind: 'value', value: 'LIST', help: 'iteration, exit-latency, throughput (default: all)' },
    conditions: { kind: 'value', value: 'usual|all', help: 'also unmergeable areas, cold caches, a busy counter (default all)' },
    precision: { kind: 'value', value: 'P', help: 'stop when each interval is as narrow as plus or minus P (default 0.5%)' },
    pairs: { kind: 'value', value: 'N', help: `pairs at least (default ${LEAST_PAIRS}, the least)` },
    order: { kind: 'value', value: 'abba|random', help: 'order of the blocks in a round (default abba)' },
    load: { kind: 'value', value: 'flat-out|paced', help: 'organic load without sleeps, or as stress --shape organic (default flat-out)' },
    at: { kind: 'value', value: 'X', help: 'where in the loop the scanner is when the exit begins, 0 to 1 (default: anywhere)' },
    lockdep: { kind: 'flag', help: 'with the lock validator' },
    ...common('seconds', 'seed', 'out', 'arena'),
  },
  examples: [
    ['overhead --seconds 120 --out cost', 'everything, with plots and all samples in the directory cost'],
    ['overhead --variant fixed --vmas 64,1024 --claims iteration --precision 0.2%', 'the price of the check in the loop'],
    ['overhead --variant ./mine.mjs --vmas 256', 'a variant of your own against the unfixed one'],
  ],
  async run(args, out) {
    const options = parse(args);
    const path = args.text('out');
    const directory = path === undefined ? undefined : new ResultDirectory(path, 'overhead');
    const interrupt = onInterrupt((text) => out.say(text));
    const count = experimentCount(options);
    out.say(`${count} experiment${count === 1 ? '' : 's'} in about ${options.seconds} s. Ctrl-C ends it with what is known by then.`);
    try {
      const { result, cells } = await runOverhead(
        options,
        () => interrupt.signal.aborted,
        ({ what, number, of, seconds }) => out.progress(`${number}/${of}, ${seconds.toFixed(0)} s of ${options.seconds}: ${what}`),
      );
      const { machine } = result;
      out.object({
        command: 'overhead',
        scenario: 'ksm-exit',
        node: machine.node,
        cores: machine.cores,
        workers: machine.threads,
        seconds: machine.seconds,
        ...result,
      });
      out.result(overheadText(result));
      if (path !== undefined) out.say(`Written to ${path}: ${(await writeOverhead(path, result, cells)).join(', ')}`);
    } catch (error) {
      directory?.discard();
      throw error instanceof UsageError ? new UsageError(usageMessage(error.message, options)) : error;
    } finally {
      interrupt.done();
    }
    return EXIT_NOTHING;
  },
};
