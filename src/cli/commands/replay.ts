/** `ksmrace replay TOKEN`: one schedule again. */
import type { SearchBoot } from '../../lab/search/pool.ts';
import type { Replayed } from '../../lab/search/replay.ts';
import type { Subject } from '../../lab/search/session.ts';
import type { Command } from '../command.ts';
import { common } from '../common-options.ts';
import { EXIT_FAILED } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { findingText, replayAlone, saysBrokenBooks, showReplay, tokenOf } from '../search-findings.ts';
import { bootOf, threadOptionTable } from '../search-options.ts';
import { tokenArgument } from '../token-argument.ts';
import { exitFor, expectation } from './stress.ts';

/** Findings of checkers that only the stepped kernel has. */
const STEPPED_ONLY = new Set(['use-after-free', 'wild-access', 'double-free', 'data-race']);

export const command: Command = {
  summary: 'play one schedule again, from its token',
  order: 40,
  usage: 'TOKEN [options]',
  positionals: ['TOKEN'],
  options: {
    'real-threads': { kind: 'flag', help: 'then once more on real threads, one per task, forced into the same order' },
    variant: { kind: 'value', value: 'FILE', help: 'the module, for a token of a variant of your own' },
    lockdep: threadOptionTable.lockdep,
    races: threadOptionTable.races,
    'check-pages': threadOptionTable['check-pages'],
    ...common('expect'),
  },
  examples: [
    ['replay k1-...', 'shows report, diagram and schedule again'],
    ['replay k1-... --real-threads', 'and that the same happens on real threads'],
  ],
  async run(args, out) {
    const boot = bootOf(args);
    const { token, sameCode } = await tokenArgument(args, boot, out);
    const expected = expectation(args);
    const replayed = await replayAlone(token, token.schedule, boot);
    const subject = { scenario: token.scenario, workload: token.workload };
    if (replayed.guessedFrom > 0) {
      out.say(`the token fits up to step ${replayed.guessedFrom - 1}; from step ${replayed.guessedFrom} on this is a guess\n`);
      if (sameCode) {
        out.error('the token is of this very code, and yet its schedule does not fit');
        return EXIT_FAILED;
      }
    }
    showReplay(out, replayed);
    const forced = args.has('real-threads') ? await force(out, subject, replayed, boot) : undefined;
    const { report, diagram, story } = findingText(replayed);
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
      token: tokenOf(subject, replayed.runs, boot),
      realThreads: forced,
    });
    const what = found.length === 0 ? 'nothing found' : found.map(({ title, step }) => `${title} (step ${step})`).join(', ');
    out.result(`replay: ${steps} steps, ${switches} switches, ${preemptions} preemptions: ${what}`);
    if (forced !== undefined) {
      out.result(
        `on ${forced.threads} real threads: ${forced.same ? 'the same' : `NOT the same: ${forced.signatures.join(', ') || 'nothing found'}`}`,
      );
      if (!forced.same) return EXIT_FAILED;
    }
    if (saysBrokenBooks(out, found)) return EXIT_FAILED;
    return exitFor(found.length, expected);
  },
};

/** Plays the schedule on real threads and compares what is found. */
async function force(
  out: Output,
  subject: Subject,
  replayed: Replayed,
  { plainVariantModule }: SearchBoot,
): Promise<{ threads: number; same: boolean; signatures: string[] }> {
  const { replayOnThreads } = await import('../../lab/search/forced.ts');
  const { threads, found, fits } = await replayOnThreads(subject, replayed.runs, plainVariantModule);
  for (const { title, lines } of found) out.say(`on real threads: ${title}\n${lines.join('\n')}\n`);
  const signatures = found.map(({ signature }) => signature);
  const wanted = replayed.found.filter(({ kind }) => !STEPPED_ONLY.has(kind)).map(({ signature }) => signature);
  const same = fits && [...wanted].sort().join() === [...signatures].sort().join();
  return { threads, same, signatures };
}
