/** Runs one vector on the current task against the live validator, and compares what it said with what a real kernel said. */
import { current, task_struct } from '../../kernel/include/task_struct.ts';
import { lockdep_init_task } from '../../kernel/locking/lockdep/asserts.ts';
import { type LoggedReport, readReport } from '../../kernel/printk.ts';
import { get, set } from '../../machine/door.ts';
import { replayEvents } from './replay-events.ts';
import { replayOps, WrongResult } from './replay-ops.ts';
import type { ReportedLock, Vector, VectorReport } from './vector.ts';

export type How = 'ops' | 'events';

/** What came of a vector. */
export interface Outcome {
  vector: Vector;
  how: How;
  verdict: 'SUCCESS' | 'FAILURE';
  /** Index of the call at which the first report came, -1 for none. */
  atOp: number;
  /** Kind of the first report in the vectors' words. */
  kind: string | undefined;
  report: LoggedReport | undefined;
  /** Where it differs from the expected; empty when the vector passed. */
  wrong: string[];
  /** Differences that are allowed: another shortest cycle. */
  notes: string[];
}

/** Our kinds of reports in the words of the vectors. */
export const KINDS: Record<string, string> = {
  'recursive-locking': 'recursive',
  'circular-dependency': 'circular',
  'bad-unlock-balance': 'unlock-imbalance',
  'held-lock-reinit': 'held-lock-reinit',
  'inconsistent-lock-state': 'inconsistent-state',
  'irq-safe-to-unsafe': 'irq-safe-to-unsafe',
  'irq-lock-inversion': 'irq-inversion',
  'debug-locks-warning': 'debug-warn',
  'lock-not-held': 'debug-warn',
  'nest-lock-not-taken': 'nest-not-held',
  'invalid-wait-context': 'wait-context',
};

/** Static maps have the kernel's names, the vectors shorter ones. */
const CLASSES: Record<string, string> = { rcu_read_lock: 'rcu', rcu_read_lock_bh: 'rcu_bh', rcu_read_lock_sched: 'rcu_sched' };

/** A class name without the number of its version. */
function plainClass(name: string): string {
  const plain = name.replace(/#\d+$/, '');
  return CLASSES[plain] ?? plain;
}

type Details = Record<string, unknown>;
type NameOf = (address: number) => string | undefined;

/** The fields of a lock that the expected one has, as one text. */
function lockText(lock: ReportedLock, like: ReportedLock): string {
  const parts = [lock.class, lock.usage];
  if (like.lock !== undefined) parts.unshift(lock.lock ?? '?');
  if (like.wait !== undefined) parts.push((lock.wait ?? []).join(':'));
  return parts.join(' ');
}

/** A lock from a report's details in the words of the vectors. */
function ours(lock: unknown, nameOf: NameOf): ReportedLock {
  const { lock: address, class: name, usage, wait } = lock as { lock?: number; class: string; usage: string; wait?: [number, number] };
  const out: ReportedLock = { class: plainClass(name), usage };
  const called = address === undefined ? undefined : nameOf(address);
  if (called !== undefined) out.lock = called;
  if (wait !== undefined) out.wait = wait;
  return out;
}

/** Compares a report with the expected one. */
function compareReport(expected: VectorReport, details: Details, nameOf: NameOf): { wrong: string[]; notes: string[] } {
  const wrong: string[] = [];
  const notes: string[] = [];
  const check = (what: string, want: unknown, got: unknown): void => {
    if (JSON.stringify(want) !== JSON.stringify(got)) wrong.push(`${what}: ${JSON.stringify(got)} instead of ${JSON.stringify(want)}`);
  };
  for (const field of ['subject', 'holding', 'other', 'safe', 'unsafe'] as const) {
    const want = expected[field];
    if (want === undefined || want === null) continue;
    const got = details[field];
    check(field, lockText(want, want), got === undefined ? undefined : lockText(ours(got, nameOf), want));
  }
  if (expected.held !== undefined) {
    const held = ((details.held as unknown[] | undefined) ?? []).map((lock) => ours(lock, nameOf));
    check(
      'held',
      expected.held.map((lock) => lockText(lock, lock)),
      held.map((lock, i) => lockText(lock, expected.held?.[i] ?? lock)),
    );
  }
  if (expected.usage_change !== undefined) check('usage_change', expected.usage_change, details.usage_change);
  if (expected.irq !== undefined) check('irq', expected.irq, details.irq);
  if (expected.direction !== undefined) check('direction', expected.direction, details.direction);
  if (expected.context !== undefined) check('context', expected.context, details.context);
  if (expected.task_wait !== undefined) check('task_wait', expected.task_wait, details.task_wait);
  if (expected.releasing !== undefined) check('releasing', expected.releasing, details.releasing);
  if (expected.nest !== undefined) check('nest', expected.nest, details.nest);
  if (expected.chain !== undefined) {
    const chain = ((details.chain as string[] | undefined) ?? []).map(plainClass);
    if (JSON.stringify(chain) !== JSON.stringify(expected.chain)) {
      if (chain.length === expected.chain.length)
        notes.push(`another shortest cycle: ${chain.join(' ')} instead of ${expected.chain.join(' ')}`);
      else wrong.push(`chain: ${chain.join(' ')} instead of ${expected.chain.join(' ')}`);
    }
  }
  return { wrong, notes };
}

/** Runs a vector on the current task, which holds nothing before and after. */
export function runVector(vector: Vector, how: How): Outcome {
  const task = current();
  lockdep_init_task(task);
  set(task, task_struct.reports, 0);
  set(task, task_struct.first_report, 0);
  let atOp = -1;
  const after = (index: number): void => {
    if (atOp < 0 && get(task, task_struct.reports) > 0) atOp = how === 'ops' ? index : (vector.events[index]?.op ?? -1);
  };
  const wrong: string[] = [];
  let nameOf: NameOf = () => undefined;
  try {
    nameOf = how === 'ops' ? replayOps(vector, after) : replayEvents(vector, after);
  } catch (error) {
    if (!(error instanceof WrongResult)) throw error;
    wrong.push(error.message);
  } finally {
    lockdep_init_task(task);
  }
  const slot = get(task, task_struct.first_report) - 1;
  const report = slot < 0 ? undefined : readReport(slot);
  const verdict = atOp < 0 ? 'SUCCESS' : 'FAILURE';
  const kind = report === undefined ? undefined : (KINDS[report.kind] ?? report.kind);
  const out: Outcome = { vector, how, verdict, atOp, kind, report, wrong, notes: [] };
  if (verdict !== vector.expect) wrong.push(`${verdict} instead of ${vector.expect}`);
  const expected = vector.report;
  if (expected !== null && report !== undefined) {
    if (kind !== expected.kind) wrong.push(`report ${kind} instead of ${expected.kind}`);
    if (expected.at_op !== undefined && expected.at_op !== atOp) wrong.push(`report at call ${atOp} instead of ${expected.at_op}`);
    if (kind === expected.kind) {
      const compared = compareReport(expected, report.details ?? {}, nameOf);
      wrong.push(...compared.wrong);
      out.notes.push(...compared.notes);
    }
  }
  return out;
}
