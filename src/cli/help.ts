/** Help texts, made from the commands themselves. */
import type { Command, OptionTable } from './command.ts';
import { alwaysOptions } from './common-options.ts';
import { table } from './output.ts';

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

/** The options as two columns. */
function optionTable(options: OptionTable): string {
  return table(
    Object.entries(options).map(([name, spec]) => [spec.kind === 'flag' ? `--${name}` : `--${name} ${spec.value ?? 'VALUE'}`, spec.help]),
  );
}

/** Help of one command. */
export function commandHelp(name: string, command: Command): string {
  const examples = command.examples.map(([line, does]) => `ksmrace ${line}\n    ${does}`).join('\n');
  return [
    command.summary,
    `Usage:\n  ksmrace ${name} ${command.usage ?? '[options]'}`,
    ...(command.details === undefined ? [] : [command.details]),
    `Options:\n${indent(optionTable({ ...command.options, ...alwaysOptions }))}`,
    `Examples:\n${indent(examples)}`,
    'Exit codes: 0 nothing found or as expected, 1 bad usage, 2 a report was found or not as expected, 3 the emulator failed.',
  ].join('\n\n');
}

/** The list of all commands. */
export function generalHelp(commands: ReadonlyMap<string, Command>): string {
  return [
    'ksmrace: a laboratory for kernel races on real threads.',
    'Usage:\n  ksmrace COMMAND [options]',
    `Commands:\n${indent(table([...commands].map(([name, command]) => [name, command.summary])))}`,
    '"ksmrace COMMAND --help" shows the options of a command and examples.',
  ].join('\n\n');
}
