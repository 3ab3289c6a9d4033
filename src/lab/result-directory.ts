/**
 * A result directory: `summary.json`, `summary.txt`, the validator's `lockdep`, `lockdep_chains` and `lockdep_stats`, and `reports/<signature>/{report.txt,diagram.txt,token.txt,trace.json,env.json}`.
 *
 * Each file is written beside its place and renamed, so that whoever reads, also after a crash, finds whole files.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory, missingDirectories, reason } from './directories.ts';
import { UsageError } from './errors.ts';
import type { Summary } from './summary.ts';
import { summaryText } from './summary-text.ts';

/** What is kept of one distinct report. */
export interface KeptReport {
  /** Signature id: the folder's name. */
  id: string;
  /** The kernel's report. */
  text: string;
  /** The interleaving that led there; empty when it was not recorded. */
  diagram: string;
  token?: string;
  /** The recorded events. */
  trace?: unknown;
  /** Machine, Node, options. */
  env?: unknown;
}

function writeWhole(file: string, text: string): void {
  const beside = `${file}.${process.pid}.tmp`;
  writeFileSync(beside, text);
  renameSync(beside, file);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Writes one. */
export class ResultDirectory {
  readonly path: string;
  readonly #text: string;
  /** The topmost directory that this object made, to take it back. */
  readonly #made: string | undefined;
  readonly #known = new Set<string>();
  /** Taken back: what a thread still reports while it ends must not make it again. */
  #discarded = false;

  /**
   * Makes the directory, or takes an empty one.
   * @param stem  of the two files that each kind of run leaves: its result as JSON and as text
   * @throws UsageError when it can't be written or holds results already
   */
  constructor(path: string, stem = 'summary') {
    this.path = path;
    this.#text = join(path, `${stem}.txt`);
    if (path === '') throw new UsageError('--out "" is not a directory name');
    if (existsSync(join(path, `${stem}.json`))) throw new UsageError(`--out ${path} holds the results of another run already`);
    this.#made = missingDirectories(path)[0];
    try {
      makeDirectory(path);
      writeWhole(this.#text, '');
    } catch (error) {
      this.discard();
      throw new UsageError(`--out ${path} can't be written: ${reason(error)}`);
    }
  }

  /** Takes back what was made, after a start that failed. */
  discard(): void {
    this.#discarded = true;
    try {
      rmSync(this.#made ?? this.#text, { recursive: true, force: true });
    } catch {
      // It could not be written, and so there is nothing to take back.
    }
  }

  /** Replaces the summary. */
  writeSummary(summary: Summary): void {
    if (this.#discarded) return;
    writeWhole(join(this.path, 'summary.json'), json(summary));
    writeWhole(join(this.path, 'summary.txt'), `${summaryText(summary)}\n`);
  }

  /** Adds files with these names and contents. */
  writeFiles(files: Readonly<Record<string, string>>): void {
    if (this.#discarded) return;
    for (const [name, text] of Object.entries(files)) writeWhole(join(this.path, name), text);
  }

  /** Adds a report; one that is there already stays. */
  writeReport(report: KeptReport): void {
    if (this.#discarded || this.#known.has(report.id)) return;
    this.#known.add(report.id);
    const folder = join(this.path, 'reports', report.id);
    mkdirSync(folder, { recursive: true });
    writeWhole(join(folder, 'report.txt'), `${report.text}\n`);
    writeWhole(join(folder, 'diagram.txt'), `${report.diagram}\n`);
    if (report.token !== undefined) writeWhole(join(folder, 'token.txt'), `${report.token}\n`);
    writeWhole(join(folder, 'trace.json'), json(report.trace ?? { events: [] }));
    writeWhole(join(folder, 'env.json'), json(report.env ?? {}));
  }
}

/** A result directory that was read. */
export interface Results {
  path: string;
  summary: Summary;
  reports: KeptReport[];
}

function readText(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : '';
}

/**
 * Reads a result directory.
 * @throws UsageError when there is none, or its summary is damaged
 */
export function readResults(path: string): Results {
  const file = join(path, 'summary.json');
  if (!existsSync(path) || !statSync(path).isDirectory()) throw new UsageError(`${path} is not a directory`);
  if (!existsSync(file)) throw new UsageError(`${path} is not a result directory: it has no summary.json`);
  let summary: Summary;
  try {
    summary = JSON.parse(readFileSync(file, 'utf8')) as Summary;
  } catch (error) {
    throw new UsageError(`${file} can't be read: ${reason(error)}`);
  }
  const { variant, signatures, hits, reports } = summary as Partial<Summary>;
  if (typeof variant !== 'string' || !Array.isArray(signatures) || typeof hits !== 'object' || typeof reports !== 'number') {
    throw new UsageError(`${file} is not the summary of a run`);
  }
  const folder = join(path, 'reports');
  const ids = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()) : [];
  const kept = ids.map(({ name }) => {
    const report: KeptReport = {
      id: name,
      text: readText(join(folder, name, 'report.txt')),
      diagram: readText(join(folder, name, 'diagram.txt')),
    };
    const token = readText(join(folder, name, 'token.txt'));
    if (token !== '') report.token = token;
    return report;
  });
  return { path, summary, reports: kept };
}
