/** `ksmrace stress`: the race on real threads. */
import { UsageError } from '../../lab/errors.ts';
import { summaryText } from '../../lab/summary-text.ts';
import type { Arguments } from '../arguments.ts';
import type { Command } from '../command.ts';
import { EXIT_FAILED, EXIT_FOUND, EXIT_NOTHING } from '../exit-codes.ts';
import { stressOptions, stressOptionTable } from '../stress-options.ts';
import { runSession } from '../stress-session.ts';

/** What `--expect` asks for. */
export function expectation(args: Arguments): 'report' | 'silent' | undefined {
  return args.choice('expect', ['report', 'silent'], undefined);
}

/** The exit code for so many reports. */
export function exitFor(reports: number, expected: 'report' | 'silent' | undefined): number {
  if (expected === undefined) return reports > 0 ? EXIT_FOUND : EXIT_NOTHING;
  return (expected === 'report') === reports > 0 ? EXIT_NOTHING : EXIT_FOUND;
}

/** Are KSM's counters to be shown while it runs? */
function watchOf(args: Arguments, shape: string): boolean {
  if (!args.has('watch')) return false;
  if (shape !== 'organic') throw new UsageError('--watch is for --shape organic');
  for (const other of ['json', 'quiet'] as const) if (args.has(other)) throw new UsageError(`--watch and --${other} exclude each other`);
  return true;
}

export const command: Command = {
  summary: 'run the race on real threads',
  order: 10,
  details: `Shapes:
  paired   one unmerge pass and one exiting process, started together, trial after trial on a fresh
           mm; with more workers, several pairs side by side, each with a memory of its own
  organic  processes that fork, map, madvise, touch and exit, ksmd, and a toggler of the run file

Any other scenario (--scenario) runs with a thread for each of its tasks, started together, trial after
trial; what its tasks left is looked at behind each trial.

A variant of your own is a module that exports unmerge_vmas(kernel, mm, slot); see docs/variants.md.`,
  options: stressOptionTable,
  examples: [
    ['stress', 'ten seconds of the unfixed kernel, until you see its report and how it came about'],
    ['stress --variant fixed --trials 1000000 --expect silent', 'the fix stays silent: exit code 0'],
    ['stress --scanned no --delay aimed --seconds 5', 'aims at the window of one in 64,000 that the mail describes'],
    ['stress --shape organic --seconds 30 --out results', 'like the reproducer on a real kernel; keeps the results'],
    ['stress --scenario oom-2009 --variant pre-fix', 'memory runs out, and the tasks wait for each other: both call stacks'],
    ['stress --shape organic --watch', 'with the counters of /sys/kernel/mm/ksm as they change'],
    ['stress --variant ./mine.mjs', 'tries a fix of your own'],
  ],
  async run(args, out) {
    const { scenario, ...options } = await stressOptions(args);
    const expected = expectation(args);
    const watch = watchOf(args, options.shape);
    const { summary } = await runSession({ command: 'stress', scenario, options, out: args.text('out'), watch }, out);
    out.object(summary);
    out.result(summaryText(summary));
    if (summary.failure !== undefined) {
      out.error(`the emulator failed: ${summary.failure}`);
      return EXIT_FAILED;
    }
    return exitFor(summary.reports, expected);
  },
};
