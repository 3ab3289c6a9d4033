/** A finished exploration as a statement that another machine can check, and one that was broken off, to go on with. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { reason } from '../directories.ts';
import { UsageError } from '../errors.ts';
import { type Code, codeHash } from './code-hash.ts';
import { type Bound, type ExploreState, hashOfTraces, type Level, totals } from './explore.ts';
import type { SearchBoot } from './pool.ts';
import type { Subject } from './session.ts';

const CERTIFICATE = 'ksmrace-certificate-2';
const CHECKPOINT = 'ksmrace-checkpoint-3';

/** Which checkers watched: a schedule is silent only for those. */
export interface Checkers {
  readonly lockdep: boolean;
  readonly races: boolean;
  readonly pages: boolean;
}

function checkersOf({ lockdep, races = false, checkPages = false }: SearchBoot): Checkers {
  return { lockdep: lockdep !== 'off', races, pages: checkPages };
}

/** The threads' options for going on with a statement, under its own checkers. */
export function bootFor({ checkers }: { readonly checkers: Checkers }, boot: SearchBoot): SearchBoot {
  return { ...boot, lockdep: checkers.lockdep ? 'on' : 'off', races: checkers.races, checkPages: checkers.pages };
}

export interface Certificate extends Subject {
  readonly format: typeof CERTIFICATE;
  readonly codeHash: string;
  readonly checkers: Checkers;
  readonly bound: Bound;
  readonly levels: readonly Level[];
  readonly schedules: number;
  readonly schedulesWithFinding: number;
  readonly traces: number;
  readonly tracesHash: string;
  readonly tracesWithFinding: number;
  readonly verdict: 'silent' | 'reports';
  readonly signatures: readonly string[];
}

/** States what a finished exploration came to. */
export function certify(subject: Subject, state: ExploreState, boot: SearchBoot): Certificate {
  const { schedules, withFinding } = totals(state);
  return {
    format: CERTIFICATE,
    scenario: subject.scenario,
    workload: subject.workload,
    codeHash: codeHash(subject, boot),
    checkers: checkersOf(boot),
    bound: state.bound,
    levels: state.levels,
    schedules,
    schedulesWithFinding: withFinding,
    traces: state.traces.length,
    tracesHash: hashOfTraces(state.traces),
    tracesWithFinding: state.tracesWithFinding.length,
    verdict: state.found.length === 0 ? 'silent' : 'reports',
    signatures: state.found.map(({ signature }) => signature).sort(),
  };
}

/** In which fields two certificates differ. */
export function differences(a: Certificate, b: Certificate): string[] {
  const fields = [
    'bound',
    'schedules',
    'schedulesWithFinding',
    'traces',
    'tracesHash',
    'tracesWithFinding',
    'verdict',
    'signatures',
  ] as const;
  return fields.filter((field) => JSON.stringify(a[field]) !== JSON.stringify(b[field]));
}

export interface Checkpoint extends Subject {
  readonly format: typeof CHECKPOINT;
  readonly codeHash: string;
  readonly checkers: Checkers;
  readonly state: ExploreState;
}

export function checkpointOf(subject: Subject, state: ExploreState, boot: SearchBoot): Checkpoint {
  return {
    format: CHECKPOINT,
    scenario: subject.scenario,
    workload: subject.workload,
    codeHash: codeHash(subject, boot),
    checkers: checkersOf(boot),
    state,
  };
}

/** Writes either, beside its place first, so that a crash leaves the old one. */
export function writeStatement(file: string, statement: Certificate | Checkpoint): void {
  try {
    writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(statement, undefined, statement.format === CERTIFICATE ? 2 : 0)}\n`);
    renameSync(`${file}.${process.pid}`, file);
  } catch (error) {
    throw new UsageError(`${file} can't be written: ${reason(error)}`);
  }
}

function read(file: string, format: string, what: string, code: Code): Subject & { codeHash: string } {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be read as a ${what}: ${error instanceof SyntaxError ? 'it is not JSON' : reason(error)}`);
  }
  if ((content as { format?: unknown } | null)?.format !== format)
    throw new UsageError(`${file} is no ${what} of this version (${format})`);
  const statement = content as Subject & { codeHash: string; checkers?: Partial<Checkers> };
  const { lockdep, races, pages } = statement.checkers ?? {};
  if (!isSubject(statement) || ![lockdep, races, pages].every((on) => typeof on === 'boolean'))
    throw new UsageError(`${file} is a broken ${what}: it does not say what it is about`);
  if (statement.workload.variant === 'user' && code.variantHash === undefined)
    throw new UsageError(`${file} is a ${what} of a variant of your own: name its module with --variant FILE`);
  const here = codeHash(statement, code);
  if (statement.codeHash !== here) throw new UsageError(`${file} is a ${what} of other code (${statement.codeHash}, this is ${here})`);
  return statement;
}

function isSubject({ scenario, workload }: Partial<Subject>): boolean {
  const { variant, tasks, vmas, pages, processes, scanned } = (workload ?? {}) as Partial<Subject['workload']>;
  const numbers = [tasks, vmas, pages, processes].every((n) => Number.isInteger(n));
  return typeof scenario === 'string' && typeof variant === 'string' && numbers && typeof scanned === 'boolean';
}

function isBound(bound: unknown): bound is Bound {
  return bound === 'all' || Number.isInteger(bound);
}

/** @throws UsageError when the file is broken, or of other code */
export function readCertificate(file: string, code: Code): Certificate {
  const certificate = read(file, CERTIFICATE, 'certificate', code) as Certificate;
  if (!isBound(certificate.bound)) throw new UsageError(`${file} is a broken certificate: it names no bound`);
  return certificate;
}

/** @throws UsageError when the file is broken, or of other code */
export function readCheckpoint(file: string, code: Code): Checkpoint {
  const checkpoint = read(file, CHECKPOINT, 'checkpoint', code) as Checkpoint;
  const state = (checkpoint.state ?? {}) as Partial<ExploreState>;
  const whole = isBound(state.bound) && [state.levels, state.found, state.traces, state.tracesWithFinding].every(Array.isArray);
  if (!whole) throw new UsageError(`${file} is a broken checkpoint: it does not say how far it came`);
  return checkpoint;
}
