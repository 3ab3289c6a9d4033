/**
 * Where text goes. To a person: stdout, or stderr under `--json`, nothing but the result under `--quiet`.
 * Colour and the progress line only on a terminal, colour not when NO_COLOR is set (https://no-color.org).
 */
import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** The bit of a stream that output needs; tests bring their own. */
export interface Sink {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface OutputOptions {
  json: boolean;
  quiet: boolean;
  stdout?: Sink;
  stderr?: Sink;
  env?: Record<string, string | undefined>;
}

export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #people: Sink;
  readonly #color: boolean;
  #progress = false;
  #blockLines = 0;

  constructor(options: OutputOptions) {
    const env = options.env ?? process.env;
    this.json = options.json;
    this.quiet = options.quiet;
    this.#stdout = options.stdout ?? process.stdout;
    this.#stderr = options.stderr ?? process.stderr;
    this.#people = options.json ? this.#stderr : this.#stdout;
    const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== '';
    this.#color = !env.NO_COLOR && (forced || (this.#people.isTTY === true && env.TERM !== 'dumb'));
  }

  /** A line (or several) of the story. Silent under `--quiet`. */
  say(text = ''): void {
    if (this.quiet) return;
    this.#clearProgress();
    this.#people.write(`${text}\n`);
  }

  /** The result for a person. Under `--json` the object takes its place, and this goes to stderr unless quiet. */
  result(text: string): void {
    if (this.json && this.quiet) return;
    this.#clearProgress();
    this.#people.write(`${text}\n`);
  }

  /** The result for a program: one object on stdout. Only under `--json`. */
  object(value: unknown): void {
    if (!this.json) return;
    this.#clearProgress();
    this.#stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** A line on stdout whatever the options, for commands whose output is data (traces). */
  data(line: string): void {
    this.#clearProgress();
    this.#stdout.write(`${line}\n`);
  }

  /** What went wrong, on stderr. */
  error(text: string): void {
    this.#clearProgress();
    this.#stderr.write(`ksmrace: ${text}\n`);
  }

  /** Replaces the progress line. On a terminal only; never under `--quiet`. */
  progress(text: string): void {
    if (this.quiet || this.#stderr.isTTY !== true) return;
    const width = (this.#stderr.columns || 80) - 1;
    this.#stderr.write(`\r\x1b[K${text.slice(0, width)}`);
    this.#progress = true;
  }

  /**
   * Several lines that take the place of the ones shown before, under what else is said. Nothing, and false, where no terminal is
   * to write on.
   */
  block(lines: readonly string[]): boolean {
    if (this.quiet || this.json || this.#people.isTTY !== true) return false;
    this.#clearProgress();
    const width = (this.#people.columns || 80) - 1;
    this.#people.write(lines.map((line) => `${line.slice(0, width)}\n`).join(''));
    this.#blockLines = lines.length;
    return true;
  }

  /** Text in a style, if colours are on. */
  style(style: Style, text: string): string {
    return this.#color ? styleText(style, text, { validateStream: false }) : text;
  }

  #clearProgress(): void {
    // Up to the block's first line, and all below it away.
    if (this.#blockLines > 0) this.#people.write(`\x1b[${this.#blockLines}A\x1b[J`);
    this.#blockLines = 0;
    if (this.#progress) this.#stderr.write('\r\x1b[K');
    this.#progress = false;
  }
}

/** Rows as aligned columns, two blanks between. Numbers (and what begins like one) stand right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, String(cell).length);
  const right = widths.map(
    (_, i) =>
      rows.slice(1).some((row) => row[i] !== undefined) &&
      rows.slice(1).every((row) => /^[-+~]?[\d.,]+( ?%)?$|^$/.test(String(row[i] ?? ''))),
  );
  return rows
    .map((row) =>
      row
        .map((cell, i) => (right[i] ? String(cell).padStart(widths[i] ?? 0) : String(cell).padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** 1234567 as `1,234,567`; up to `digits` decimals. */
export function thousands(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
