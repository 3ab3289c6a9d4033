/** `ksmrace lockdep [FILE] [DIR]`: the lock validator's files as /proc shows them, of a fresh play or of a result directory. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../lab/errors.ts';
import { configureBoot } from '../../machine/boot.ts';
import { quoted } from '../arguments.ts';
import type { Command } from '../command.ts';
import { EXIT_NOTHING } from '../exit-codes.ts';
import { didYouMean } from '../nearest.ts';

const FILES = ['lockdep', 'lockdep_chains', 'lockdep_stats'] as const;
type File = (typeof FILES)[number];

/** The file that was asked for. */
function fileOf(name: string): File {
  const found = FILES.find((file) => file === name || file === `lockdep_${name}`);
  if (found === undefined) throw new UsageError(`lockdep ${quoted(name)} is not one of ${FILES.join(', ')}${didYouMean(name, FILES)}`);
  return found;
}

/** The file as a run left it. */
function fileIn(directory: string, file: File): string {
  if (!existsSync(join(directory, 'summary.json'))) throw new UsageError(`${directory} is not a result directory: it has no summary.json`);
  const path = join(directory, file);
  if (!existsSync(path)) throw new UsageError(`${directory} has no ${file}: it is written by runs whose validator is on`);
  return readFileSync(path, 'utf8');
}

/** The file after every reference scenario was played once, in this thread. */
async function playedFile(file: File): Promise<string> {
  // The machine reads its options when it is loaded: so they come first.
  configureBoot({ traceCalls: true });
  const { referenceScenarios, traceScenario } = await import('../../lab/kernel-trace/scenarios.ts');
  const { procFiles } = await import('../../lab/proc-lockdep.ts');
  for (const { name } of referenceScenarios) traceScenario(name, 1, 'fixed');
  return procFiles()[file] as string;
}

export const command: Command = {
  summary: "print the lock validator's /proc files",
  order: 75,
  usage: '[FILE] [DIR] [options]',
  details: `FILE is one of
  lockdep         every lock class: acquires, usage, and what was taken next under it (the default)
  lockdep_chains  every chain of held locks that was validated
  lockdep_stats   how full the tables are, and what was counted
in the layout of the same files under /proc. With DIR they are those of a result directory
(stress --out DIR, or fuzz --out DIR: of the last schedule then). Without it every scenario of "trace" is played once in one
thread with the fixed variant, which takes a second and gives the same each time.`,
  positionals: ['FILE', 'DIR'],
  options: {},
  examples: [
    ['lockdep', 'the lock classes of KSM and the address space, and their order'],
    ['lockdep lockdep_stats results', 'how much the validator saw in a run'],
  ],
  async run(args, out) {
    const file = fileOf(args.positionals[0] ?? 'lockdep');
    const directory = args.positionals[1];
    const text = directory === undefined ? await playedFile(file) : fileIn(directory, file);
    out.object({ file, text });
    if (!out.json) out.data(text.trimEnd());
    return EXIT_NOTHING;
  },
};
