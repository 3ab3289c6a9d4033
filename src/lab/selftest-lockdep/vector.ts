/**
 * Vector files: test cases for a lock validator, one JSON object per line (`.jsonl`, also gzipped).
 * A case gives the calls on locks (`ops`), the same as validator events (`events`), and the expected verdict.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { SelftestCase, SelftestLock, SelftestOp } from '../../kernel/lib/locking-selftest-locks.ts';
import { UsageError } from '../errors.ts';

export type VectorLock = SelftestLock;
export type VectorOp = SelftestOp;

/** One event for the validator; `op` is the index of the call it comes from. */
export interface VectorEvent {
  op: number;
  ev: string;
  lock?: string;
  class?: string;
  sub?: number;
  try?: number;
  read?: number;
  check?: number;
  nest?: string | null;
  why?: string;
}

/** A lock in the expected report. */
export interface ReportedLock {
  lock?: string;
  class: string;
  usage: string;
  usage_in_kernel?: string;
  wait?: [number, number];
}

/** The report that a real kernel printed; which fields are there depends on `kind`. */
export interface VectorReport {
  kind: string;
  at_op?: number;
  subject?: ReportedLock;
  holding?: ReportedLock;
  held?: ReportedLock[];
  other?: ReportedLock;
  safe?: ReportedLock;
  unsafe?: ReportedLock;
  chain?: string[];
  usage_change?: [string, string];
  irq?: string;
  direction?: string;
  context?: Record<string, number>;
  task_wait?: number;
  releasing?: string;
  nest?: string;
}

export interface Vector extends SelftestCase {
  id: string;
  family: string;
  variant: string | null;
  lock_type: string;
  expect: 'SUCCESS' | 'FAILURE';
  decided_by: string | null;
  ops: VectorOp[];
  events: VectorEvent[];
  report: VectorReport | null;
}

/**
 * Reads vector files.
 * @throws UsageError naming file and line
 */
export function readVectors(files: readonly string[]): Vector[] {
  const out: Vector[] = [];
  for (const file of files) {
    let text: string;
    try {
      const bytes = readFileSync(file);
      text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
    } catch (error) {
      throw new UsageError(`--vectors ${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`);
    }
    text.split('\n').forEach((line, i) => {
      if (line.trim() === '') return;
      let vector: Vector;
      try {
        vector = JSON.parse(line) as Vector;
      } catch {
        throw new UsageError(`--vectors ${file}, line ${i + 1}: is not JSON`);
      }
      const whole =
        typeof vector.id === 'string' && Array.isArray(vector.ops) && Array.isArray(vector.events) && vector.locks !== undefined;
      if (!whole) throw new UsageError(`--vectors ${file}, line ${i + 1}: is not a lock vector (id, locks, ops, events)`);
      out.push(vector);
    });
  }
  if (out.length === 0) throw new UsageError(`--vectors ${files.join(' ')}: holds no vectors`);
  return out;
}
