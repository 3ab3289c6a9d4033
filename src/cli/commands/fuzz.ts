/** `ksmrace fuzz`: schedules by a strategy, until something is found or the budget is spent. */
import { availableParallelism } from 'node:os';
import { UsageError } from '../../lab/errors.ts';
import { ResultDirectory } from '../../lab/result-directory.ts';
import { Corpus } from '../../lab/search/corpus.ts';
import { type FuzzFinding, type FuzzResult, fuzz, type Guide } from '../../lab/search/fuzz.ts';
import { type SearchBoot, SearchPool } from '../../lab/search/pool.ts';
import { Saturation } from '../../lab/search/saturation.ts';
import { signatureId } from '../../lab/search/signature.ts';
import { strategyNames } from '../../lab/search/strategy.ts';
import type { Token } from '../../lab/search/token.ts';
import type { Summary } from '../../lab/summary.ts';
import { summaryText } from '../../lab/summary-text.ts';
import { type Arguments, quoted } from '../arguments.ts';
import type { Command } from '../command.ts';
import { common } from '../common-options.ts';
import { EXIT_FAILED, EXIT_USAGE } from '../exit-codes.ts';
import { onInterrupt } from '../interrupt.ts';
import { didYouMean } from '../nearest.ts';
import { thousands } from '../output.ts';
import { findingText, replayAlone, saysBrokenBooks, showReplay, tokenOf } from '../search-findings.ts';
import { bootOf, MOST_DEPTH, subjectOf, subjectOptionTable, threadOptionTable, threadsOf } from '../search-options.ts';
import { seedOf } from '../stress-options.ts';
import { exitFor, expectation } from './stress.ts';

const DEFAULT_SECONDS = 10;
const MOST_SCHEDULES = 2 ** 40;

function strategyOption(args: Arguments): string {
  const name = args.text('strategy') ?? 'pct';
  const names = strategyNames();
  if (!names.includes(name)) throw new UsageError(`--strategy ${quoted(name)} is not one of ${names.join(', ')}${didYouMean(name, names)}`);
  return name;
}

export const command: Command = {
  summary: 'search schedules at random, by a strategy and a seed',
  order: 20,
  options: {
    strategy: { kind: 'value', value: 'NAME', help: 'random, pct, pos, urw, surw, round-robin or portfolio (default pct)' },
    depth: { kind: 'value', value: 'D', help: 'pct: how many orderings a bug may need (default 2)' },
    schedules: { kind: 'value', value: 'N', help: 'stop after this many schedules' },
    ...subjectOptionTable,
    ...common('seconds'),
    guided: { kind: 'flag', help: 'change schedules that brought something new, besides fresh ones' },
    corpus: { kind: 'value', value: 'DIR', help: 'keep those schedules there, and begin with the ones that are there (implies --guided)' },
    'until-report': { kind: 'flag', help: 'stop at the first finding' },
    ...threadOptionTable,
    ...common('seed', 'out', 'expect'),
  },
  examples: [
    ['fuzz', 'ten seconds of PCT schedules of the unfixed kernel'],
    ['fuzz --variant fixed --schedules 1000000 --expect silent', 'the fix stays silent: exit code 0'],
    ['fuzz --strategy pos --seed 7 --until-report', 'partial order sampling, until it finds something'],
  ],
  async run(args, out) {
    const subject = await subjectOf(args);
    const schedules = args.whole('schedules', Number.POSITIVE_INFINITY, { min: 1, max: MOST_SCHEDULES });
    const untilFinding = args.has('until-report');
    const endless = Number.isFinite(schedules) || untilFinding;
    const options = {
      ...subject,
      strategy: strategyOption(args),
      depth: args.whole('depth', 2, { min: 1, max: MOST_DEPTH }),
      seed: seedOf(args),
      schedules,
      seconds: args.decimal('seconds', endless ? Number.POSITIVE_INFINITY : DEFAULT_SECONDS, { min: 0.01, max: 1e7 }),
      untilFinding,
    };
    const boot = bootOf(args);
    const corpus = args.text('corpus') === undefined ? undefined : new Corpus(args.text('corpus') as string, subject, boot);
    for (const sentence of corpus?.broken ?? []) out.error(sentence);
    const saturation = new Saturation();
    const guide: Guide | undefined =
      corpus === undefined && !args.has('guided')
        ? undefined
        : { saturation, corpus: [...(corpus?.schedules ?? [])], keep: (runs, trace) => corpus?.add(runs, trace) };
    const expected = expectation(args);
    const threads = threadsOf(args);
    const directory = args.text('out') === undefined ? undefined : new ResultDirectory(args.text('out') as string);
    const interrupt = onInterrupt((text) => out.say(text));
    const pool = new SearchPool(threads, boot);
    const shown: Promise<void>[] = [];
    const show = async (finding: FuzzFinding): Promise<void> => {
      const schedule = scheduleOf(options, finding, guide !== undefined);
      const token = tokenOf(subject, schedule, boot);
      const replayed = await replayAlone(subject, schedule, boot);
      out.say(`${out.style('red', finding.title)}, in schedule ${thousands(finding.first)}\n`);
      showReplay(out, replayed);
      out.say(`see it again: ksmrace replay ${token}\n`);
      const { report, diagram } = findingText(replayed);
      directory?.writeReport({ id: signatureId(finding), text: report, diagram, token, trace: replayed.runs, env: { options } });
    };
    let result: FuzzResult;
    try {
      result = await fuzz(pool, guide === undefined ? options : { ...options, guide }, {
        signal: interrupt.signal,
        progress(now) {
          out.progress(
            `${now.seconds.toFixed(0)} s  ${thousands(now.schedules)} schedules  ${thousands(Math.round(now.schedules / now.seconds))}/s  ${thousands(now.withFinding)} with a finding (${now.found.length} distinct)${guide === undefined ? '' : `  ${saturationText(saturation)}`}`,
          );
        },
        found: (finding) => shown.push(show({ ...finding })),
      });
      await Promise.all(shown);
      // Of any thread's last schedule: they all take the same locks.
      if (directory !== undefined && boot.lockdep !== 'off') directory.writeFiles(await pool.run('procFilesOf', subject));
    } finally {
      interrupt.done();
      await pool.end();
    }
    const summary = summarizeFuzz(options, result, threads, boot, guide === undefined ? undefined : saturation);
    directory?.writeSummary(summary);
    out.object(summary);
    out.result(summaryText(summary));
    if (guide !== undefined) out.result(`coverage: ${saturationText(saturation)}`);
    if (corpus !== undefined) {
      out.result(
        `corpus: ${thousands(corpus.schedules.length)} schedules${corpus.foreign > 0 ? `, ${thousands(corpus.foreign)} of other workloads left alone` : ''}`,
      );
      if (corpus.broken.length > 0) return EXIT_USAGE;
    }
    if (saysBrokenBooks(out, result.found)) return EXIT_FAILED;
    return exitFor(result.withFinding, expected);
  },
};

function saturationText(saturation: Saturation): string {
  return `${thousands(saturation.featureCount)} hand-offs and chains, ${thousands(saturation.traceCount)} traces of about ${thousands(saturation.estimateTraces())}`;
}

/** A seed says it all, unless the corpus had a part in it. */
function scheduleOf(
  { strategy, depth, seed }: Pick<Summarized, 'strategy' | 'depth' | 'seed'>,
  finding: FuzzFinding,
  guided: boolean,
): Token['schedule'] {
  return guided ? finding.runs : { strategy, depth, seed, index: finding.first };
}

interface Summarized {
  scenario: string;
  workload: { variant: string; tasks: number; vmas: number; pages: number; scanned: boolean };
  strategy: string;
  depth: number;
  seed: number;
}

function summarizeFuzz(
  options: Summarized & Parameters<typeof tokenOf>[0],
  result: FuzzResult,
  threads: number,
  boot: SearchBoot,
  saturation: Saturation | undefined,
): Summary {
  const { scenario, workload, strategy, depth, seed } = options;
  return {
    command: 'fuzz',
    scenario,
    variant: workload.variant,
    seed,
    node: process.version,
    cores: availableParallelism(),
    workers: threads,
    seconds: result.seconds,
    schedules: result.schedules,
    perSecond: result.schedules / Math.max(1e-9, result.seconds),
    reports: result.found.reduce((sum, { count }) => sum + count, 0),
    signatures: result.found.map((finding) => ({
      id: signatureId(finding),
      kind: finding.kind,
      title: finding.title,
      count: finding.count,
      first: { schedule: finding.first + 1, seconds: finding.seconds },
      token: tokenOf({ scenario, workload: options.workload }, scheduleOf(options, finding, saturation !== undefined), boot),
    })),
    hits: result.hits,
    visits: result.visits,
    exits: result.exits,
    passes: result.passes,
    trialsWithReport: result.withFinding,
    settings: {
      strategy,
      depth,
      tasks: workload.tasks,
      vmas: workload.vmas,
      pages: workload.pages,
      scanned: workload.scanned ? 'yes' : 'no',
    },
    ...(result.partial ? { partial: true } : {}),
  };
}
