/**
 * The arguments of a command: parsed by node:util, checked here, so that each error is one sentence that names the flag
 * and its value.
 */
import { parseArgs } from 'node:util';
import { UsageError } from '../lab/errors.ts';
import type { OptionTable } from './command.ts';
import { didYouMean } from './nearest.ts';

/** Bounds of a number, both allowed. */
export interface Range {
  min: number;
  max: number;
}

/** Parsed arguments with typed, checked access. */
export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: ReadonlyMap<string, string[]>;

  constructor(positionals: readonly string[], values: ReadonlyMap<string, string[]>) {
    this.positionals = positionals;
    this.#values = values;
  }

  /** Was the option given? */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Its value (the last one given), or undefined. */
  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /** All its values. */
  texts(name: string): string[] {
    return this.#values.get(name) ?? [];
  }

  /** A whole number within `range`. */
  whole<T>(name: string, fallback: T, range: Range): number | T {
    const text = this.text(name);
    if (text === undefined) return fallback;
    if (!/^[+-]?\d+$/.test(text)) throw new UsageError(`--${name} ${quoted(text)} is not a whole number`);
    return within(name, text, range);
  }

  /** A decimal number within `range`. */
  decimal<T>(name: string, fallback: T, range: Range): number | T {
    const text = this.text(name);
    if (text === undefined) return fallback;
    if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new UsageError(`--${name} ${quoted(text)} is not a number`);
    return within(name, text, range);
  }

  /** One of `choices`. */
  choice<const C extends string, T>(name: string, choices: readonly C[], fallback: T): C | T {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const found = choices.find((choice) => choice === text);
    if (found === undefined)
      throw new UsageError(`--${name} ${quoted(text)} is not one of ${choices.join(', ')}${didYouMean(text, choices)}`);
    return found;
  }

  /** The given positional, or an error that asks for it by `name`. */
  positional(index: number, name: string): string {
    const text = this.positionals[index];
    if (text === undefined) throw new UsageError(`${name} is missing`);
    return text;
  }
}

/** The value as it is shown in an error: quoted when empty or with blanks. */
export function quoted(text: string): string {
  return /^\S+$/.test(text) ? text : JSON.stringify(text);
}

function within(name: string, text: string, range: Range): number {
  const value = Number(text);
  if (!(value >= range.min && value <= range.max)) {
    throw new UsageError(`--${name} ${text} is out of range: it must be from ${range.min} to ${range.max}`);
  }
  return value;
}

/**
 * Parses what follows the command's name.
 * @param positionals  names of those allowed; the last may end in `...`
 * @throws UsageError
 */
export function parseArguments(command: string, argv: string[], options: OptionTable, positionals: readonly string[] = []): Arguments {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, spec]) => [name, { type: spec.kind === 'flag' ? 'boolean' : 'string', multiple: true }] as const),
  );
  const { tokens } = parseArgs({ args: argv, options: config, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, string[]>();
  const rest: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') rest.push(token.value);
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (spec === undefined)
      throw new UsageError(`unknown option ${token.rawName} for ${command}${didYouMean(token.name, Object.keys(options), '--')}`);
    if (spec.kind === 'flag' && token.value !== undefined)
      throw new UsageError(`--${token.name} takes no value, but got ${quoted(token.value)}`);
    if (spec.kind !== 'flag' && (token.value === undefined || (!token.inlineValue && token.value.startsWith('--')))) {
      throw new UsageError(`--${token.name} needs a value${spec.value === undefined ? '' : ` (${spec.value})`}`);
    }
    values.set(token.name, [...(values.get(token.name) ?? []), token.value ?? '']);
  }
  const many = positionals.at(-1)?.endsWith('...') ?? false;
  if (!many && rest.length > positionals.length)
    throw new UsageError(`unexpected argument ${quoted(rest[positionals.length] as string)} for ${command}`);
  return new Arguments(rest, values);
}
