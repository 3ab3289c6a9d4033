/**
 * Tokens: a schedule as a short text that can be pasted into a command line.
 *
 * `k1-` and base64url of: scenario, variant, workload, code hash, then either strategy and seed or the choices, then a
 * checksum. Choices are runs of steps: which task, how many. Numbers are LEB128. The last number of the workload is twice the limit of page
 * frames (0: none), plus one for scanned memory. A change of this layout gets a new prefix.
 */

import type { Workload } from '../../kernel/scenarios/scenario.ts';
import { hashText } from '../../machine/memory.ts';
import { UsageError } from '../errors.ts';

/** Version of the layout: the prefix of every token. */
export const TOKEN_VERSION = 'k1';

/** A run of steps by one task. */
export interface Run {
  readonly task: number;
  readonly steps: number;
}

/** Which schedule of a strategy. */
export interface SeedSchedule {
  readonly strategy: string;
  readonly depth: number;
  /** Seed of the campaign, and number of the schedule in it. */
  readonly seed: number;
  readonly index: number;
}

export interface Token {
  readonly scenario: string;
  readonly workload: Workload;
  /** Eight hexadecimal digits: of which code the schedule is. */
  readonly codeHash: string;
  readonly schedule: SeedSchedule | readonly Run[];
}

class Writer {
  readonly bytes: number[] = [];
  number(value: number): void {
    let left = value;
    while (left > 127) {
      this.bytes.push((left % 128) | 128);
      left = Math.floor(left / 128);
    }
    this.bytes.push(left);
  }
  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.number(bytes.length);
    this.bytes.push(...bytes);
  }
}

class Reader {
  private at = 0;
  private readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || scale > 2 ** 53) throw new UsageError('the token ends too early');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }
  text(): string {
    const length = this.number();
    this.at += length;
    if (this.at > this.bytes.length) throw new UsageError('the token ends too early');
    return new TextDecoder().decode(this.bytes.subarray(this.at - length, this.at));
  }
}

function checksum(bytes: Uint8Array): number {
  return hashText(Array.from(bytes, (b) => String.fromCharCode(b)).join('')) >>> 0;
}

function isSeed(schedule: Token['schedule']): schedule is SeedSchedule {
  return 'strategy' in schedule;
}

export function encodeToken(token: Token): string {
  const w = new Writer();
  const { workload, schedule } = token;
  w.text(token.scenario);
  w.text(workload.variant);
  for (const n of [
    workload.tasks,
    workload.vmas,
    workload.pages,
    workload.processes,
    2 * (workload.frames ?? 0) + (workload.scanned ? 1 : 0),
  ])
    w.number(n);
  w.number(Number.parseInt(token.codeHash, 16));
  if (isSeed(schedule)) {
    w.number(0);
    w.text(schedule.strategy);
    for (const n of [schedule.depth, schedule.seed, schedule.index]) w.number(n);
  } else {
    w.number(1);
    w.number(schedule.length);
    for (const run of schedule) {
      w.number(run.task);
      w.number(run.steps);
    }
  }
  const sum = checksum(Uint8Array.from(w.bytes));
  for (let shift = 0; shift < 32; shift += 8) w.bytes.push((sum >>> shift) & 255);
  return `${TOKEN_VERSION}-${Buffer.from(w.bytes).toString('base64url')}`;
}

/** @throws UsageError for a token of another version, cut, or mistyped */
export function decodeToken(text: string): Token {
  const match = /^k(\d+)-([A-Za-z0-9_-]*)$/.exec(text);
  if (match === null) throw new UsageError(`"${text}" is not a token: one looks like ${TOKEN_VERSION}-...`);
  if (`k${match[1]}` !== TOKEN_VERSION) {
    throw new UsageError(`the token is of version k${match[1]}, and this ksmrace reads ${TOKEN_VERSION}`);
  }
  const all = Buffer.from(match[2] as string, 'base64url');
  const body = all.subarray(0, Math.max(0, all.length - 4));
  if (all.length < 5 || all.toString('base64url') !== match[2] || all.readUInt32LE(all.length - 4) !== checksum(body)) {
    throw new UsageError('the token is cut or mistyped: its checksum does not match');
  }
  const r = new Reader(body);
  const scenario = r.text();
  const variant = r.text();
  const counts = { tasks: r.number(), vmas: r.number(), pages: r.number(), processes: r.number() };
  const last = r.number();
  const frames = Math.floor(last / 2);
  const workload = { variant, ...counts, scanned: last % 2 === 1, ...(frames > 0 ? { frames } : {}) };
  const codeHash = r.number().toString(16).padStart(8, '0');
  if (r.number() === 0) {
    return { scenario, workload, codeHash, schedule: { strategy: r.text(), depth: r.number(), seed: r.number(), index: r.number() } };
  }
  const runs: Run[] = [];
  for (let left = r.number(); left > 0; left--) runs.push({ task: r.number(), steps: r.number() });
  return { scenario, workload, codeHash, schedule: runs };
}
