/** From the words of a command line to an exit code. */
import { readdirSync, readFileSync } from 'node:fs';
import { UsageError } from '../lab/errors.ts';
import { ArenaExhausted } from '../machine/errors.ts';
import { parseArguments, quoted } from './arguments.ts';
import type { Command } from './command.ts';
import { alwaysOptions } from './common-options.ts';
import { EXIT_FAILED, EXIT_NOTHING, EXIT_USAGE } from './exit-codes.ts';
import { commandHelp, generalHelp } from './help.ts';
import { didYouMean } from './nearest.ts';
import { Output } from './output.ts';

const folder = new URL('./commands/', import.meta.url);
const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** The names of all commands: the files in `commands/`. */
function commandNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(EXTENSION) && !file.endsWith('.d.ts'))
    .map((file) => file.slice(0, -EXTENSION.length));
}

async function loadCommand(name: string): Promise<Command> {
  return ((await import(new URL(`${name}${EXTENSION}`, folder).href)) as { command: Command }).command;
}

async function loadAll(): Promise<Map<string, Command>> {
  const all = await Promise.all(commandNames().map(async (name) => [name, await loadCommand(name)] as const));
  return new Map(all.sort(([a, x], [b, y]) => (x.order ?? 100) - (y.order ?? 100) || (a < b ? -1 : 1)));
}

function version(): string {
  for (const up of ['../../', '../../../']) {
    try {
      return (JSON.parse(readFileSync(new URL(`${up}package.json`, import.meta.url), 'utf8')) as { version: string }).version;
    } catch {
      // Sources and compiled files stand at different depths below package.json.
    }
  }
  return 'unknown';
}

/** The exit code for what a command threw, told on stderr. */
function failed(error: unknown, out: Output): number {
  if (error instanceof UsageError || error instanceof ArenaExhausted) {
    out.error(error.message);
    return EXIT_USAGE;
  }
  const name = error instanceof Error ? error.name : '';
  const message = error instanceof Error ? error.message : String(error);
  out.error(name === 'RunFailed' ? message : `the emulator failed: ${message}`);
  if (error instanceof Error && process.env.KSMRACE_DEBUG) out.error(error.stack ?? '');
  return EXIT_FAILED;
}

/**
 * Runs a command line.
 * @param argv  the words after `ksmrace`
 * @returns the exit code
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  const plain = new Output({ json: false, quiet: false });
  try {
    if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
      const about = name === 'help' ? rest[0] : undefined;
      if (about !== undefined && commandNames().includes(about)) plain.result(commandHelp(about, await loadCommand(about)));
      else plain.result(generalHelp(await loadAll()));
      return name === undefined ? EXIT_USAGE : EXIT_NOTHING;
    }
    if (name === '--version') {
      plain.result(version());
      return EXIT_NOTHING;
    }
    const names = commandNames();
    if (!names.includes(name)) {
      throw new UsageError(`unknown command ${quoted(name)}${didYouMean(name, names)}; "ksmrace --help" lists the commands`);
    }
    const command = await loadCommand(name);
    if (rest.includes('--help') || rest.includes('-h')) {
      plain.result(commandHelp(name, command));
      return EXIT_NOTHING;
    }
    const args = parseArguments(name, rest, { ...command.options, ...alwaysOptions }, command.positionals);
    const out = new Output({ json: args.has('json'), quiet: args.has('quiet') });
    try {
      return await command.run(args, out);
    } catch (error) {
      return failed(error, out);
    }
  } catch (error) {
    return failed(error, plain);
  }
}
