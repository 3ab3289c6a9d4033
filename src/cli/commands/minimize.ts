/** `ksmrace minimize TOKEN`: the shortest schedule, and the smallest workload, with the same report. */
import { shrink } from '../../lab/search/shrink.ts';
import type { Command } from '../command.ts';
import { EXIT_FOUND, EXIT_NOTHING } from '../exit-codes.ts';
import { thousands } from '../output.ts';
import { findingText, replayAlone, showReplay, tokenOf } from '../search-findings.ts';
import { bootOf, threadOptionTable } from '../search-options.ts';
import { tokenArgument } from '../token-argument.ts';

export const command: Command = {
  summary: 'the shortest schedule with the same report',
  order: 45,
  usage: 'TOKEN [options]',
  details: `Drops what came after the report and what did not lead to it, brings the rest into an order with few switches,
leaves out one run of steps after the other, and tries smaller workloads. What is left is 1-minimal: without any one
of its runs the report does not come.`,
  positionals: ['TOKEN'],
  options: {
    variant: { kind: 'value', value: 'FILE', help: 'the module, for a token of a variant of your own' },
    lockdep: threadOptionTable.lockdep,
    races: threadOptionTable.races,
    'check-pages': threadOptionTable['check-pages'],
  },
  examples: [['minimize k1-...', 'shows the short schedule, its diagram and its token']],
  async run(args, out) {
    const boot = bootOf(args);
    const { token, leastTasks } = await tokenArgument(args, boot, out);
    const { scenario, workload } = token;
    const shrunk = await shrink({ scenario, workload }, token.schedule, leastTasks, boot, ({ minimal, subject }) => {
      const { tasks, vmas, pages } = subject.workload;
      out.say(
        `${minimal.preemptions} preemptions, ${minimal.switches} switches, ${minimal.steps} steps; ${tasks} tasks, ${vmas} areas of ${pages} pages (${thousands(minimal.tried)} schedules tried)`,
      );
    });
    if (shrunk === undefined) {
      out.object({ command: 'minimize', scenario, variant: workload.variant, reports: 0 });
      out.result('minimize: the schedule finds nothing');
      return EXIT_NOTHING;
    }
    const { minimal, subject, signature } = shrunk;
    const short = tokenOf(subject, minimal.runs, boot);
    const replayed = await replayAlone(subject, minimal.runs, boot);
    out.say();
    showReplay(out, replayed);
    const { report, diagram, story } = findingText(replayed);
    const { preemptions, switches, steps, tried, runs } = minimal;
    out.object({
      command: 'minimize',
      scenario,
      variant: workload.variant,
      node: process.version,
      signature,
      workload: subject.workload,
      preemptions,
      switches,
      steps,
      tried,
      runs,
      reports: 1,
      report,
      diagram,
      story,
      token: short,
    });
    out.result(`minimize: ${preemptions} preemptions, ${switches} switches, ${steps} steps\nsee it again: ksmrace replay ${short}`);
    return EXIT_FOUND;
  },
};
