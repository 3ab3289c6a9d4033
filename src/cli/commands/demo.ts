/** `ksmrace demo`, and `npm start`: the race caught, and the fix that stays silent, in under a minute. */
import { availableParallelism } from 'node:os';
import { fuzz } from '../../lab/search/fuzz.ts';
import { type SearchBoot, SearchPool } from '../../lab/search/pool.ts';
import type { StressOptions } from '../../lab/stress/orders.ts';
import type { Summary } from '../../lab/summary.ts';
import { summaryText } from '../../lab/summary-text.ts';
import type { Command } from '../command.ts';
import { common } from '../common-options.ts';
import { EXIT_FAILED, EXIT_FOUND, EXIT_NOTHING } from '../exit-codes.ts';
import { onInterrupt } from '../interrupt.ts';
import { type Output, thousands } from '../output.ts';
import { replayAlone, tokenOf } from '../search-findings.ts';
import { seedOf } from '../stress-options.ts';
import { runSession } from '../stress-session.ts';

/** The fixed variant runs for at least so many trials, and no longer than so many seconds. */
const FIXED_TRIALS = 200_000;
const FIXED_SECONDS = 20;
/** The unfixed variant reports within a second; that long it may take on a busy machine. */
const UNFIXED_SECONDS = 15;

/** What is searched, how, and for how long at most. */
const SEARCHED = { variant: 'unfixed', tasks: 2, vmas: 1, pages: 1, processes: 0, scanned: false };
const STRATEGY = { strategy: 'pct', depth: 2 };
const SEARCH_SECONDS = 10;

const base: Omit<StressOptions, 'seed'> = {
  shape: 'paired',
  variant: 'unfixed',
  vmas: 1,
  pages: 1,
  pageBytes: 0,
  frames: 0,
  seconds: UNFIXED_SECONDS,
  trials: Number.POSITIVE_INFINITY,
  workers: 2,
  delay: 'none',
  scanned: 'mix',
  toggle: [],
  life: 0,
  rest: 0,
  lockdep: 'on',
  limits: {},
  checks: { heap: false, refs: false, pages: false },
  hungTaskSeconds: 10,
  record: true,
  arena: 64,
  untilReport: false,
};

/** The unfixed kernel until its first report. */
async function catchIt(out: Output, seed: number): Promise<Summary> {
  out.say(out.style('bold', 'The kernel as it was (Linux 6.1, variant "unfixed")'));
  out.say('One thread writes 2 to /sys/kernel/mm/ksm/run, another exits, again and again, until lockdep speaks.\n');
  const options = { ...base, seed, untilReport: true };
  const { summary } = await runSession({ command: 'demo', scenario: 'ksm-exit', options }, out);
  if (summary.reports === 0) out.say(`No report in ${thousands(summary.trials ?? 0)} trials: that should not be.\n`);
  return summary;
}

/** The same by seed: a schedule that anyone can play again. Its token, or nothing. */
async function searchForIt(out: Output, seed: number): Promise<string | undefined> {
  out.say(out.style('bold', 'The same by search'));
  out.say(
    'Both tasks in one thread, switched at scheduling points as a seed says. ksmd has not scanned: this is the window of the mail.\n',
  );
  const subject = { scenario: 'ksm-exit', workload: SEARCHED };
  const { strategy, depth } = STRATEGY;
  const boot: SearchBoot = { lockdep: 'on' };
  const pool = new SearchPool(availableParallelism(), boot);
  const interrupt = onInterrupt((text) => out.say(text));
  try {
    const options = { ...subject, ...STRATEGY, seed, schedules: Number.POSITIVE_INFINITY, seconds: SEARCH_SECONDS, untilFinding: true };
    const { found, schedules } = await fuzz(pool, options, { signal: interrupt.signal });
    const first = found[0];
    if (first === undefined) {
      out.say(`Nothing found in ${thousands(schedules)} schedules.\n`);
      return undefined;
    }
    const schedule = { strategy, depth, seed, index: first.first };
    const token = tokenOf(subject, schedule, boot);
    const replayed = await replayAlone(subject, schedule, boot);
    out.say(`${out.style('red', first.title)}, in schedule ${thousands(first.first + 1)}\n`);
    out.say(replayed.diagram);
    out.say(`\nPlay it again, here or on any machine: ksmrace replay ${token}\n`);
    return token;
  } finally {
    interrupt.done();
    await pool.end();
  }
}

/** The fixed kernel, as long again and longer. */
async function staySilent(out: Output, seed: number, trials: number): Promise<Summary> {
  out.say(out.style('bold', 'The kernel with the patch (variant "fixed")'));
  const options = { ...base, seed, variant: 'fixed', seconds: FIXED_SECONDS, trials: Math.max(FIXED_TRIALS, trials) };
  const { summary } = await runSession({ command: 'demo', scenario: 'ksm-exit', options }, out);
  out.say(summaryText(summary));
  return summary;
}

export const command: Command = {
  summary: 'the race caught and the fix silent, in under a minute (also: npm start)',
  order: 0,
  options: common('seed'),
  examples: [
    ['demo', 'the whole story'],
    ['demo --quiet', 'one line; exit code 0 when the unfixed variant reported and the fixed one did not'],
  ],
  async run(args, out) {
    const seed = seedOf(args);
    const unfixed = await catchIt(out, seed);
    if (unfixed.failure !== undefined || unfixed.reports === 0 || unfixed.partial) return ending(out, { unfixed });
    const token = await searchForIt(out, seed);
    const fixed = await staySilent(out, seed, unfixed.trials ?? 0);
    return ending(out, { unfixed, token, fixed });
  },
};

/** The last words and the exit code. */
function ending(out: Output, story: { unfixed: Summary; token?: string | undefined; fixed?: Summary }): number {
  const { unfixed, fixed } = story;
  out.object({ command: 'demo', ...story });
  const failure = unfixed.failure ?? fixed?.failure;
  if (failure !== undefined) {
    out.error(`the emulator failed: ${failure}`);
    return EXIT_FAILED;
  }
  if (fixed === undefined || unfixed.reports === 0) {
    out.result('demo: stopped before the story was told');
    return EXIT_FOUND;
  }
  const met = `${thousands(fixed.hits.total)} times in ${thousands(fixed.trials ?? 0)} trials`;
  const good = fixed.reports === 0;
  const verdict = good ? 'stayed silent' : `reported ${thousands(fixed.reports)} times`;
  out.result(
    `demo: unfixed reported in trial ${thousands(unfixed.signatures[0]?.first.trial ?? 0)}; fixed met the destroyed tree ${met} and ${out.style(good ? 'green' : 'red', verdict)}`,
  );
  return good && !fixed.partial ? EXIT_NOTHING : EXIT_FOUND;
}
