/** `ksmrace selftest`: parts of the emulated kernel against what the real one answered. */
import { UsageError } from '../../lab/errors.ts';
import { configureBoot } from '../../machine/boot.ts';
import type { Command } from '../command.ts';
import { EXIT_FOUND, EXIT_NOTHING } from '../exit-codes.ts';
import { didYouMean } from '../nearest.ts';

interface Counts {
  passed: number;
  failed: number;
}

type Print = (line: string) => void;

/** Room for trees of some 100,000 ranges; memory that is not touched costs nothing. */
const ARENA_BYTES = 256 << 20;

async function lockdep(files: string[], print: Print): Promise<Counts> {
  const { selftestTable, selftestVectors } = await import('../../lab/selftest-lockdep/selftest.ts');
  if (files.length === 0) return selftestTable(print);
  const { readVectors } = await import('../../lab/selftest-lockdep/vector.ts');
  return selftestVectors(readVectors(files), print);
}

async function maple(files: string[], print: Print): Promise<Counts> {
  const { runMapleSelftest } = await import('../../lab/selftest-maple/index.ts');
  const result = runMapleSelftest(files.length === 0 ? undefined : files);
  for (const line of result.failures) print(line);
  print(`${result.passed} passed, ${result.failed} failed`);
  return result;
}

async function counters(files: string[], print: Print): Promise<Counts> {
  const { runCountersSelftest } = await import('../../lab/selftest-counters/selftest.ts');
  return runCountersSelftest(files, print);
}

/** Errors that name what is wrong with a file of the user's. */
const FILE_ERRORS = new Set(['BadVectorFile', 'BadCounterVectors']);

/** The parts that can be tested. */
const parts: Record<string, (files: string[], print: Print) => Promise<Counts>> = { lockdep, maple, counters };

export const command: Command = {
  summary: 'parts of the kernel against what the real one answered',
  order: 80,
  usage: 'PART [--vectors FILE...]',
  details:
    'lockdep: the table of the kernel’s own lock self-tests, one real run per cell; with --vectors each case of the files, by its calls and by its events. maple: operations on maple trees with the answers of the C tree; without --vectors a built-in quick set, a case is one file. counters: KSM’s counters after each step of known workloads; its files are one JSON object. Files are JSON Lines, plain or .gz. The last line is "N passed, M failed"; exit code 2 when a case failed.',
  positionals: ['PART', 'FILE...'],
  options: { vectors: { kind: 'values', value: 'FILE...', help: 'replay these files instead of what is built in' } },
  examples: [
    ['selftest lockdep', 'the table that the kernel prints when it boots'],
    ['selftest maple --vectors traces/*.jsonl.gz', 'recorded operations'],
  ],
  async run(args, out) {
    const part = args.positional(0, 'PART');
    const test = Object.hasOwn(parts, part) ? parts[part] : undefined;
    if (test === undefined)
      throw new UsageError(`selftest ${part} is not one of ${Object.keys(parts).join(', ')}${didYouMean(part, Object.keys(parts))}`);
    // `--vectors A B C`: the shell's list stands behind the option as arguments of their own.
    const files = [...args.texts('vectors'), ...args.positionals.slice(1)];
    if (files.length > 0 && !args.has('vectors'))
      throw new UsageError(`unexpected argument ${files[0]} for selftest: files follow --vectors`);
    configureBoot({ arenaBytes: ARENA_BYTES });
    const lines: string[] = [];
    let counts: Counts;
    try {
      counts = await test(files, (line) => {
        lines.push(line);
        out.result(line);
      });
    } catch (error) {
      if (FILE_ERRORS.has((error as Error).name)) throw new UsageError((error as Error).message);
      throw error;
    }
    out.object({ command: 'selftest', part, passed: counts.passed, failed: counts.failed, lines });
    return counts.failed > 0 ? EXIT_FOUND : EXIT_NOTHING;
  },
};
