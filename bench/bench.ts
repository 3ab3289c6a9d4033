/**
 * What a bench is: a module `bench/NAME.bench.ts` that exports `name`, `about` and `run`.
 *
 * `bench/main.ts` finds those modules by their file names, runs them one after the other and prints their rows. Rows
 * with the same group and case belong together: the one without `peer` is ours, the others are what it is measured
 * against, taken in turns in the same run (see side-by-side.ts), because machines differ and ratios last.
 */
import { median, relativeSpread } from '../src/lab/stats/median.ts';

export interface BenchOptions {
  /** A short look at everything: a tenth of the time, numbers to the nearest few per cent. */
  quick: boolean;
  /** Cores that this process may use. */
  cores: number;
  /** Tells a person what goes on; never part of the result. */
  say: (text: string) => void;
}

/** One measured thing. */
export interface Row {
  /** The table it stands in, e.g. `locks`. */
  group: string;
  /** What was done, e.g. `spin_lock, spin_unlock`. */
  case: string;
  /** `ns`, `us` ...: less is better. See {@link isRate} for those of which more is better. */
  unit: string;
  median: number;
  /** The best sample: the smallest, or the largest of a rate. */
  best: number;
  /** Median absolute deviation relative to the median. */
  spread: number;
  samples: number[];
  /** Whose it is, e.g. `pthread`; absent: ours. One that begins with `ours` is ours in another setting. */
  peer?: string;
}

/** Is the row about code of this project? */
export function isOurs(r: Row): boolean {
  return r.peer === undefined || r.peer.startsWith('ours');
}

/** What a bench module exports. */
export interface Bench {
  /** For `--only`. */
  name: string;
  /** One line for `--help`. */
  about: string;
  /** Runs it. Must leave no worker behind. A peer that is not there (no C compiler) has no row. */
  run(options: BenchOptions): Promise<Row[]>;
}

/** Is more better in this unit? Rates end in `/s`, shares of what is looked for begin with `%`. */
export function isRate(unit: string): boolean {
  return unit.endsWith('/s') || unit.startsWith('%') || unit === 'efficiency' || unit === 'speed-up';
}

/** Makes a row of samples. */
export function row(group: string, what: string, unit: string, samples: number[], peer?: string): Row {
  const best = isRate(unit) ? Math.max(...samples) : Math.min(...samples);
  const made: Row = { group, case: what, unit, median: median(samples), best, spread: relativeSpread(samples), samples };
  if (peer !== undefined) made.peer = peer;
  return made;
}
