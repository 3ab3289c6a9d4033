/**
 * A corpus: a directory with a token per file, each a schedule that brought something new. A file is written beside its place and
 * renamed, so a crash loses one entry at most; directories merge by copying their files together.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory, reason } from '../directories.ts';
import { UsageError } from '../errors.ts';
import { type Code, codeHash } from './code-hash.ts';
import type { Subject } from './session.ts';
import { decodeToken, encodeToken, type Run } from './token.ts';

const SUFFIX = '.token';

export class Corpus {
  readonly schedules: (readonly Run[])[] = [];
  /** A sentence for each file that could not be used. */
  readonly broken: string[] = [];
  /** Files of other scenarios, variants or workloads: left alone. */
  foreign = 0;
  private readonly path: string;
  private readonly subject: Subject;
  private readonly code: Code;

  /** Reads the directory; makes it when it is not there. @throws UsageError */
  constructor(path: string, subject: Subject, code: Code) {
    this.path = path;
    this.code = code;
    this.subject = { scenario: subject.scenario, workload: subject.workload };
    try {
      makeDirectory(path);
      for (const name of readdirSync(path).sort()) if (name.endsWith(SUFFIX)) this.readEntry(name);
    } catch (error) {
      throw new UsageError(`--corpus ${path} can't be used: ${reason(error)}`);
    }
  }

  private readEntry(name: string): void {
    try {
      const { scenario, workload, schedule } = decodeToken(readFileSync(join(this.path, name), 'utf8').trim());
      if ('strategy' in schedule) throw new UsageError('it holds a seed, not a schedule');
      if (schedule.some(({ task }) => task >= workload.tasks))
        throw new UsageError(`it lets a task run that is not one of its ${workload.tasks}`);
      if (JSON.stringify({ scenario, workload }) === JSON.stringify(this.subject)) this.schedules.push(schedule);
      else this.foreign++;
    } catch (error) {
      this.broken.push(`corpus file ${name} is left out: ${error instanceof UsageError ? error.message : reason(error)}`);
    }
  }

  /** Adds a schedule. @param trace  hash of its trace: the file's name. @throws UsageError */
  add(runs: readonly Run[], trace: string): void {
    const file = join(this.path, `${trace}${SUFFIX}`);
    if (existsSync(file)) return;
    const token = encodeToken({ ...this.subject, codeHash: codeHash(this.subject, this.code), schedule: runs });
    try {
      writeFileSync(`${file}.${process.pid}`, `${token}\n`);
      renameSync(`${file}.${process.pid}`, file);
    } catch (error) {
      throw new UsageError(`--corpus ${this.path} can't be written: ${reason(error)}`);
    }
    this.schedules.push(runs);
  }
}
