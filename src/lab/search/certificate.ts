/** A finished exploration as a statement that another machine can check, and one that was broken off, to go on with. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import { codeHash } from './code-hash.ts';
import { type Bound, type ExploreState, hashOfTraces, type Level, totals } from './explore.ts';
import type { Subject } from './session.ts';

const CERTIFICATE = 'ksmrace-certificate-1';
const CHECKPOINT = 'ksmrace-checkpoint-1';

export interface Certificate extends Subject {
  readonly format: typeof CERTIFICATE;
  readonly codeHash: string;
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
export function certify(subject: Subject, state: ExploreState): Certificate {
  const { schedules, withFinding } = totals(state);
  return {
    format: CERTIFICATE,
    scenario: subject.scenario,
    workload: subject.workload,
    codeHash: codeHash(),
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
  readonly state: ExploreState;
}

export function checkpointOf(subject: Subject, state: ExploreState): Checkpoint {
  return { format: CHECKPOINT, scenario: subject.scenario, workload: subject.workload, codeHash: codeHash(), state };
}

/** Writes either, beside its place first, so that a crash leaves the old one. */
export function writeStatement(file: string, statement: Certificate | Checkpoint): void {
  try {
    writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(statement, undefined, statement.format === CERTIFICATE ? 2 : 0)}\n`);
    renameSync(`${file}.${process.pid}`, file);
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${(error as Error).message}`);
  }
}

function read(file: string, format: string, what: string): { codeHash: string } {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be read as a ${what}: ${(error as Error).message}`);
  }
  if ((content as { format?: unknown } | null)?.format !== format)
    throw new UsageError(`${file} is no ${what} of this version (${format})`);
  const { codeHash: of } = content as { codeHash: string };
  if (of !== codeHash()) throw new UsageError(`${file} is a ${what} of other code (${of}, this is ${codeHash()})`);
  return content as { codeHash: string };
}

/** @throws UsageError when the file is broken, or of other code */
export function readCertificate(file: string): Certificate {
  return read(file, CERTIFICATE, 'certificate') as Certificate;
}

/** @throws UsageError when the file is broken, or of other code */
export function readCheckpoint(file: string): Checkpoint {
  return read(file, CHECKPOINT, 'checkpoint') as Checkpoint;
}
