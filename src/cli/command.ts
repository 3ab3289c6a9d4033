/**
 * What a command is. Each lives in a file of its own, `commands/<name>.ts`, and exports one {@link Command} as `command`;
 * putting the file there is all that it takes to add one.
 */
import type { Arguments } from './arguments.ts';
import type { Output } from './output.ts';

/** One option of a command. */
export interface OptionSpec {
  /** `flag` takes no value, `value` takes one (the last counts), `values` may be given several times. */
  kind: 'flag' | 'value' | 'values';
  /** How the help calls the value, e.g. `N`. */
  value?: string;
  help: string;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

export interface Command {
  /** One line for the list of commands. */
  summary: string;
  /** Place in the list of commands, 0 first. @defaultValue 100 */
  order?: number;
  /** What follows the command's name, e.g. `TOKEN [options]`. @defaultValue `[options]` */
  usage?: string;
  /** Further paragraphs of the help. */
  details?: string;
  options: OptionTable;
  /** Command lines without the leading `ksmrace`, and what each does. */
  examples: readonly (readonly [line: string, does: string])[];
  /** Names of the positional arguments, for the errors. Absent: none is taken. The last may end in `...`. */
  positionals?: readonly string[];
  /**
   * Does it.
   * @returns the exit code (see exit-codes.ts)
   * @throws UsageError, ArenaExhausted: exit code 1; anything else: 3
   */
  run(args: Arguments, out: Output): Promise<number>;
}
