/** `ksmrace replay TOKEN`: one schedule again. */
import type { Command } from '../command.ts';
import { common } from '../common-options.ts';
import { EXIT_FAILED } from '../exit-codes.ts';
import { findingText, replayAlone, showReplay, tokenOf } from '../search-findings.ts';
import { bootOf, threadOptionTable } from '../search-options.ts';
import { tokenArgument } from '../token-argument.ts';
import { exitFor, expectation } from './stress.ts';

export const command: Command = {
  summary: 'play one schedule again, from its token',
  order: 40,
  usage: 'TOKEN [options]',
  positionals: ['TOKEN'],
  options: { lockdep: threadOptionTable.lockdep, races: threadOptionTable.races, ...common('expect') },
  examples: [['replay k1-...', 'shows report, diagram and schedule again']],
  async run(args, out) {
    const { token, sameCode } = await tokenArgument(args, out);
    const expected = expectation(args);
    const replayed = await replayAlone(token, token.schedule, bootOf(args));
    if (replayed.guessedFrom > 0) {
      out.say(`the token fits up to step ${replayed.guessedFrom - 1}; from step ${replayed.guessedFrom} on this is a guess\n`);
      if (sameCode) {
        out.error('the token is of this very code, and yet its schedule does not fit');
        return EXIT_FAILED;
      }
    }
    showReplay(out, replayed);
    const { report, diagram, story } = findingText(replayed);
    const subject = { scenario: token.scenario, workload: token.workload };
    const { found, steps, switches, preemptions, ending, guessedFrom, traceHash } = replayed;
    out.object({
      command: 'replay',
      scenario: token.scenario,
      variant: token.workload.variant,
      node: process.version,
      steps,
      switches,
      preemptions,
      ending,
      guessedFrom,
      traceHash,
      sameCode,
      reports: found.length,
      signatures: found.map(({ kind, title, signature, step }) => ({ kind, title, signature, step })),
      report,
      diagram,
      story,
      token: tokenOf(subject, replayed.runs),
    });
    const what = found.length === 0 ? 'nothing found' : found.map(({ title, step }) => `${title} (step ${step})`).join(', ');
    out.result(`replay: ${steps} steps, ${switches} switches, ${preemptions} preemptions: ${what}`);
    return exitFor(found.length, expected);
  },
};
