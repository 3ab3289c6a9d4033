/** The options that several commands share, so that they read the same everywhere. */
import type { OptionSpec } from './command.ts';

export const commonOptions = {
  scenario: { kind: 'value', value: 'NAME', help: 'what to run; "ksmrace scenarios" lists them (default ksm-exit)' },
  variant: { kind: 'value', value: 'NAME|FILE', help: 'unfixed, fixed, both, linked-list or a module of your own (default unfixed)' },
  vmas: { kind: 'value', value: 'N', help: 'memory areas per process (default 1)' },
  seed: { kind: 'value', value: 'S', help: 'whole number that all random choices follow from (default: from the clock)' },
  seconds: { kind: 'value', value: 'S', help: 'stop after this time' },
  trials: { kind: 'value', value: 'N', help: 'stop after this many trials' },
  workers: { kind: 'value', value: 'N', help: 'threads' },
  out: { kind: 'value', value: 'DIR', help: 'write a result directory' },
  expect: { kind: 'value', value: 'report|silent', help: 'exit 0 if it comes out so, else 2' },
  arena: { kind: 'value', value: 'MIB', help: 'shared memory in MiB (default 64)' },
  json: { kind: 'flag', help: 'print one JSON object on stdout, all else on stderr' },
  quiet: { kind: 'flag', help: 'print the result only' },
  help: { kind: 'flag', help: 'show this help' },
} as const satisfies Record<string, OptionSpec>;

export type CommonOption = keyof typeof commonOptions;

/** Some of the common options, for a command's table. `json`, `quiet` and `help` come with every command. */
export function common<K extends CommonOption>(...names: K[]): Pick<typeof commonOptions, K> {
  return Object.fromEntries(names.map((name) => [name, commonOptions[name]])) as Pick<typeof commonOptions, K>;
}

/** Every command understands these. */
export const alwaysOptions = common('json', 'quiet', 'help');
