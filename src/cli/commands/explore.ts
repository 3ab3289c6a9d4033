/** `ksmrace explore`: every schedule up to a bound, or every trace; certificates and their check. */
import { availableParallelism } from 'node:os';
import { checkWritable } from '../../lab/directories.ts';
import { UsageError } from '../../lab/errors.ts';
import {
  bootFor,
  type Certificate,
  certify,
  checkpointOf,
  differences,
  readCertificate,
  readCheckpoint,
  writeStatement,
} from '../../lab/search/certificate.ts';
import {
  type Bound,
  type ExploreState,
  estimateSchedules,
  explore,
  hashOfTraces,
  newExploration,
  totals,
} from '../../lab/search/explore.ts';
import { type SearchBoot, SearchPool } from '../../lab/search/pool.ts';
import type { Subject } from '../../lab/search/session.ts';
import { signatureId } from '../../lab/search/signature.ts';
import { noHits } from '../../lab/summary.ts';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { common } from '../common-options.ts';
import { EXIT_FAILED, EXIT_FOUND, EXIT_NOTHING } from '../exit-codes.ts';
import { onInterrupt } from '../interrupt.ts';
import { type Output, table, thousands } from '../output.ts';
import { replayAlone, saysBrokenBooks, showReplay, tokenOf } from '../search-findings.ts';
import { bootOf, subjectOf, subjectOptionTable, threadOptionTable, threadsOf } from '../search-options.ts';
import { checkSubject } from '../subject-check.ts';
import { exitFor, expectation } from './stress.ts';

const DEFAULT_PREEMPTIONS = 2;
/** An exploration that would take longer is refused before it starts, unless --seconds says how long it may take. */
const MOST_SECONDS = 24 * 3600;

interface Plan {
  readonly subject: Subject;
  readonly state: ExploreState;
  readonly boot: SearchBoot;
  /** The certificate that is checked. */
  readonly claim: Certificate | undefined;
}

async function planOf(args: Arguments, boot: SearchBoot): Promise<Plan> {
  const { check, resume } = { check: args.text('check'), resume: args.text('resume') };
  if (check !== undefined && resume !== undefined) throw new UsageError('--check and --resume exclude each other');
  const ofTheFile = [
    'all',
    'preemptions',
    'scenario',
    'vmas',
    'tasks',
    'pages',
    'frames',
    'scanned',
    'lockdep',
    'races',
    'check-pages',
    ...(boot.variantHash === undefined ? ['variant'] : []),
  ];
  const given = ofTheFile.find((name) => args.has(name));
  if ((check ?? resume) !== undefined && given !== undefined) {
    throw new UsageError(`--${given} is said by the file of --${check === undefined ? 'resume' : 'check'} already: leave it out`);
  }
  if (check !== undefined) {
    const claim = readCertificate(check, boot);
    await checkSubject(claim, check);
    return {
      subject: { scenario: claim.scenario, workload: claim.workload },
      state: newExploration(claim.bound),
      boot: bootFor(claim, boot),
      claim,
    };
  }
  if (resume !== undefined) {
    const checkpoint = readCheckpoint(resume, boot);
    const { scenario, workload, state } = checkpoint;
    await checkSubject({ scenario, workload }, resume);
    return { subject: { scenario, workload }, state, boot: bootFor(checkpoint, boot), claim: undefined };
  }
  if (args.has('all') && args.has('preemptions')) throw new UsageError('--all and --preemptions exclude each other');
  const bound: Bound = args.has('all') ? 'all' : args.whole('preemptions', DEFAULT_PREEMPTIONS, { min: 0, max: 20 });
  return { subject: await subjectOf(args), state: newExploration(bound), boot, claim: undefined };
}

/** Says how much there is to do, and refuses what can't be done. */
async function estimate(pool: SearchPool, { subject, state }: Plan, most: number, out: Output): Promise<void> {
  const { scenario, workload } = subject;
  const probing = { scenario, workload, strategy: 'pct', depth: 2, seed: 0, from: 0, count: 300 };
  await pool.run('fuzzBlock', probing);
  const probe = await pool.run('fuzzBlock', probing);
  const rate = (probe.schedules / Math.max(1, probe.milliseconds)) * 1000 * pool.threads;
  if (state.bound === 'all') {
    out.say(
      `estimate: unknown before it runs; a schedule has about ${Math.round(probe.steps / probe.schedules)} steps, ${thousands(Math.round(rate))} a second`,
    );
    return;
  }
  const schedules = estimateSchedules(Math.round(probe.steps / probe.schedules), workload.tasks, state.bound);
  const seconds = schedules / rate;
  out.say(`estimate: about ${thousands(schedules)} schedules, ${thousands(Math.ceil(seconds))} s`);
  if (seconds > most) {
    throw new UsageError(
      `--preemptions ${state.bound} would take about ${thousands(Math.ceil(seconds / 3600))} hours for ${thousands(schedules)} schedules; lower it, or take a smaller workload`,
    );
  }
}

export const command: Command = {
  summary: 'walk every schedule up to a bound, and certify the result',
  order: 30,
  details: `With --preemptions K: all schedules in which a task that could go on loses the CPU at most K times, for K = 0, 1, 2, ...
With --all: every trace, that is every order of the operations that do not commute, by partial-order reduction.
Ctrl-C writes the checkpoint, if --checkpoint names a file.`,
  options: {
    preemptions: { kind: 'value', value: 'K', help: `all schedules with at most K preemptions (default ${DEFAULT_PREEMPTIONS})` },
    all: { kind: 'flag', help: 'every trace' },
    ...subjectOptionTable,
    ...common('seconds'),
    certificate: { kind: 'value', value: 'FILE', help: 'write what was proved' },
    check: { kind: 'value', value: 'FILE', help: 'do a certificate over again, and say whether it holds' },
    checkpoint: { kind: 'value', value: 'FILE', help: 'where to write how far it came, when stopped' },
    resume: { kind: 'value', value: 'FILE', help: 'go on from a checkpoint' },
    ...threadOptionTable,
    ...common('expect'),
  },
  examples: [
    ['explore --variant fixed --all --certificate fixed.json', 'proves that the fix is silent for this workload'],
    ['explore --check fixed.json', 'does the proof over again'],
    ['explore --preemptions 3', 'all schedules of the unfixed kernel with up to three preemptions'],
  ],
  async run(args, out) {
    const plan = await planOf(args, bootOf(args));
    const { subject, state, boot, claim } = plan;
    for (const flag of ['certificate', 'checkpoint']) if (args.has(flag)) checkWritable(`--${flag}`, args.text(flag) as string);
    const expected = expectation(args);
    const seconds = args.decimal('seconds', undefined, { min: 0.01, max: 1e7 });
    const threads = threadsOf(args);
    const interrupt = onInterrupt((text) => out.say(text));
    const pool = new SearchPool(threads, boot);
    let start = performance.now();
    try {
      if (state.levels.length === 0) await estimate(pool, plan, seconds === undefined ? MOST_SECONDS : Number.POSITIVE_INFINITY, out);
      start = performance.now();
      await explore(pool, subject, state, {
        signal: interrupt.signal,
        ...(seconds === undefined ? {} : { seconds }),
        progress(now) {
          const { schedules, withFinding } = totals(now);
          const rest = now.bound === 'all' ? `about ${thousands(Math.round(now.estimate))} in all` : `${now.open?.length ?? 0} parts open`;
          out.progress(`${thousands(schedules)} schedules, ${thousands(withFinding)} with a finding, ${rest}`);
        },
        found: (finding) => out.say(`${out.style('red', finding.title)}`),
        level: ({ preemptions, schedules, withFinding }) =>
          out.say(`${preemptions} preemptions: ${thousands(schedules)} schedules, ${thousands(withFinding)} with a finding`),
      });
    } finally {
      interrupt.done();
      await pool.end();
    }
    const took = (performance.now() - start) / 1000;
    const checkpoint = args.text('checkpoint');
    if (!state.done && checkpoint !== undefined) {
      writeStatement(checkpoint, checkpointOf(subject, state, boot));
      out.say(`go on with: ksmrace explore --resume ${checkpoint}`);
    }
    if (claim === undefined) await showFound(out, subject, state, boot);
    const certificate = args.text('certificate');
    if (state.done && certificate !== undefined) writeStatement(certificate, certify(subject, state, boot));
    out.object(summaryOf(subject, state, threads, took, boot));
    out.result(resultText(state, took, certificate));
    if (claim !== undefined) return verdict(out, claim, subject, state, boot);
    if (saysBrokenBooks(out, state.found)) return EXIT_FAILED;
    return exitFor(totals(state).withFinding, expected);
  },
};

/** Does the certificate hold? */
function verdict(out: Output, claim: Certificate, subject: Subject, state: ExploreState, boot: SearchBoot): number {
  if (!state.done) {
    out.result('certificate: not checked to its end');
    return EXIT_FOUND;
  }
  const wrong = differences(claim, certify(subject, state, boot));
  out.result(
    wrong.length === 0 ? `certificate: holds (${claim.verdict})` : `certificate: does NOT hold: ${wrong.join(', ')} came out differently`,
  );
  return wrong.length === 0 ? EXIT_NOTHING : EXIT_FOUND;
}

async function showFound(out: Output, subject: Subject, state: ExploreState, boot: SearchBoot): Promise<void> {
  for (const finding of state.found) {
    if (out.quiet) return;
    const token = tokenOf(subject, finding.runs, boot);
    out.say();
    showReplay(out, await replayAlone(subject, finding.runs, boot));
    out.say(`see it again: ksmrace replay ${token}`);
  }
}

function share(part: number, whole: number): string {
  return `${thousands(part)} of ${thousands(whole)} (${((100 * part) / Math.max(1, whole)).toFixed(4)} %)`;
}

function resultText(state: ExploreState, seconds: number, certificate: string | undefined): string {
  const { schedules, withFinding } = totals(state);
  const rows: [string, string][] = [
    [state.bound === 'all' ? 'complete runs' : 'schedules', `${thousands(schedules)} in ${seconds.toFixed(2)} s`],
    ['with a finding', share(withFinding, schedules)],
    ['traces', thousands(state.traces.length)],
    ['with a finding', share(state.tracesWithFinding.length, state.traces.length)],
    ['hash of all traces', hashOfTraces(state.traces)],
  ];
  for (const { title, schedules: count } of state.found) rows.push(['  ', `${title}: ${thousands(count)} schedules`]);
  const bound = state.bound === 'all' ? 'every trace' : `every schedule with at most ${state.bound} preemptions`;
  const silent = state.found.length === 0 ? 'silent' : 'reports';
  const end = state.done ? `${bound}: ${silent}` : `stopped before the end; so far: ${silent}`;
  return `${table(rows)}\nexplore: ${end}${state.done && certificate !== undefined ? `\ncertificate: ${certificate}` : ''}`;
}

function summaryOf(subject: Subject, state: ExploreState, threads: number, seconds: number, boot: SearchBoot): unknown {
  const { schedules, withFinding } = totals(state);
  return {
    command: 'explore',
    scenario: subject.scenario,
    variant: subject.workload.variant,
    workload: subject.workload,
    seed: 0,
    node: process.version,
    cores: availableParallelism(),
    workers: threads,
    seconds,
    bound: state.bound,
    levels: state.bound === 'all' ? undefined : state.levels,
    schedules,
    perSecond: schedules / Math.max(1e-9, seconds),
    schedulesWithFinding: withFinding,
    traces: state.traces.length,
    tracesWithFinding: state.tracesWithFinding.length,
    tracesHash: hashOfTraces(state.traces),
    cuts: state.cuts,
    complete: state.done,
    partial: state.done ? undefined : true,
    reports: state.found.reduce((sum, { count }) => sum + count, 0),
    signatures: state.found.map((finding) => ({
      id: signatureId(finding),
      kind: finding.kind,
      title: finding.title,
      count: finding.count,
      first: { schedule: finding.first + 1, seconds: 0 },
      token: tokenOf(subject, finding.runs, boot),
    })),
    hits: noHits,
    visits: 0,
    exits: 0,
  };
}
