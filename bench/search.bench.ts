/** The search: schedules and reports a second, explorations in milliseconds, what checkers and threads change. */
import { explore, newExploration } from '../src/lab/search/explore.ts';
import type { FuzzBlock } from '../src/lab/search/fuzz-block.ts';
import { type SearchBoot, SearchPool } from '../src/lab/search/pool.ts';
import type { Subject } from '../src/lab/search/session.ts';
import { type BenchOptions, type Row, row } from './bench.ts';

export const name = 'search';
export const about = 'stepped schedules: strategies, the full race, explorations, checkers, threads';

const minimal = (variant: string): Subject => ({
  scenario: 'minimal',
  workload: { variant, tasks: 2, vmas: 1, pages: 0, processes: 0, scanned: false },
});
const ksmExit = (variant: string): Subject => ({
  scenario: 'ksm-exit',
  workload: { variant, tasks: 2, vmas: 1, pages: 1, processes: 0, scanned: false },
});

interface FuzzCase {
  what: string;
  subject: Subject;
  strategy: string;
  depth: number;
  boot: SearchBoot;
  /** Schedules per sample. */
  count: number;
}

const OFF: SearchBoot = { lockdep: 'off' };
const ON: SearchBoot = { lockdep: 'on' };

const FUZZED: readonly FuzzCase[] = [
  { what: 'minimal, PCT d=2', subject: minimal('unfixed'), strategy: 'pct', depth: 2, boot: OFF, count: 100_000 },
  { what: 'minimal, PCT d=3', subject: minimal('unfixed'), strategy: 'pct', depth: 3, boot: OFF, count: 100_000 },
  { what: 'minimal, POS', subject: minimal('unfixed'), strategy: 'pos', depth: 2, boot: OFF, count: 100_000 },
  { what: 'minimal, random walk', subject: minimal('unfixed'), strategy: 'random', depth: 2, boot: OFF, count: 100_000 },
  { what: 'ksm-exit, PCT d=2, no validator', subject: ksmExit('unfixed'), strategy: 'pct', depth: 2, boot: OFF, count: 20_000 },
  { what: 'ksm-exit, PCT d=2, validator', subject: ksmExit('unfixed'), strategy: 'pct', depth: 2, boot: ON, count: 20_000 },
  { what: 'ksm-exit fixed, PCT d=2, no validator', subject: ksmExit('fixed'), strategy: 'pct', depth: 2, boot: OFF, count: 20_000 },
  {
    what: 'ksm-exit fixed, PCT d=2, validator and races',
    subject: ksmExit('fixed'),
    strategy: 'pct',
    depth: 2,
    boot: { ...ON, races: true },
    count: 10_000,
  },
];

/** One thread, in samples after a warm-up. */
async function fuzzRows({ what, subject, strategy, depth, boot, count }: FuzzCase, samples: number): Promise<Row[]> {
  const pool = new SearchPool(1, boot);
  try {
    const rates: number[] = [];
    const reports: number[] = [];
    const shares: number[] = [];
    for (let sample = -1; sample < samples; sample++) {
      const order: FuzzBlock = { ...subject, strategy, depth, seed: 1, from: (sample + 1) * count, count };
      const { milliseconds, withFinding } = await pool.run('fuzzBlock', order);
      if (sample < 0) continue;
      rates.push((count * 1000) / milliseconds);
      reports.push((withFinding * 1000) / milliseconds);
      shares.push((100 * withFinding) / count);
    }
    const rows = [row('search', what, 'schedules/s', rates)];
    if (reports.some((n) => n > 0)) rows.push(row('search', what, 'reports/s', reports), row('search', what, '% report', shares));
    return rows;
  } finally {
    await pool.end();
  }
}

/** A whole exploration on one thread, in ms. */
async function exploreRow(what: string, subject: Subject, bound: number | 'all', samples: number): Promise<Row> {
  const pool = new SearchPool(1, subject.scenario === 'minimal' ? OFF : ON);
  try {
    const times: number[] = [];
    for (let sample = -1; sample < samples; sample++) {
      const start = performance.now();
      await explore(pool, subject, newExploration(bound));
      if (sample >= 0) times.push(performance.now() - start);
    }
    return row('explore', what, 'ms', times);
  } finally {
    await pool.end();
  }
}

/** How much faster two threads are than one. */
async function threadsRow(samples: number): Promise<Row> {
  const subject = ksmExit('unfixed');
  const count = 50_000;
  const pool = new SearchPool(2, ON);
  try {
    const order = (from: number): FuzzBlock => ({ ...subject, strategy: 'pct', depth: 2, seed: 1, from, count });
    // Long enough for both engines to be compiled: two compile as much as one, at the same time.
    for (let round = 0; round < 4; round++) await Promise.all([pool.run('fuzzBlock', order(0)), pool.run('fuzzBlock', order(count))]);
    const ratios: number[] = [];
    for (let sample = 0; sample < samples; sample++) {
      const start = performance.now();
      await pool.run('fuzzBlock', order(0));
      const alone = performance.now() - start;
      const again = performance.now();
      await Promise.all([pool.run('fuzzBlock', order(0)), pool.run('fuzzBlock', order(count))]);
      ratios.push((2 * alone) / (performance.now() - again));
    }
    return row('search', 'ksm-exit, two threads against one', 'speed-up', ratios);
  } finally {
    await pool.end();
  }
}

export async function run({ quick, cores, say }: BenchOptions): Promise<Row[]> {
  const samples = quick ? 3 : 9;
  const rows: Row[] = [];
  for (const fuzzed of FUZZED) {
    say(fuzzed.what);
    rows.push(...(await fuzzRows(fuzzed, samples)));
  }
  for (const [what, subject, bound] of [
    ['minimal fixed, every trace', minimal('fixed'), 'all'],
    ['ksm-exit fixed, 2 preemptions', ksmExit('fixed'), 2],
    ['ksm-exit fixed, 3 preemptions', ksmExit('fixed'), 3],
    ['ksm-exit fixed, every trace', ksmExit('fixed'), 'all'],
    ['ksm-exit unfixed, every trace', ksmExit('unfixed'), 'all'],
  ] as const) {
    say(what);
    rows.push(await exploreRow(what, subject, bound, samples));
  }
  if (cores > 1) {
    say('two threads');
    rows.push(await threadsRow(samples));
  }
  return rows;
}
