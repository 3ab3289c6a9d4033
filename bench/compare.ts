/** Compares a run with an earlier one: what got slower beyond the noise? */
import { bootstrap } from '../src/lab/stats/bootstrap.ts';
import { holm } from '../src/lab/stats/holm.ts';
import { median } from '../src/lab/stats/median.ts';
import { mannWhitney } from '../src/lab/stats/rank-tests.ts';
import { isOurs, isRate, type Row } from './bench.ts';

/** A change of one row between two runs. */
export interface Change {
  row: Row;
  /** Now over then in time: above 1 is slower. Relative to the peer, where one was measured both times. */
  slowdown: number;
  /** What the noise of both runs can make of no change at all. */
  noise: number;
  /** Mann and Whitney's, after Holm's correction over all rows. */
  p: number;
  /** The peer that both runs were set against. */
  peer?: string;
  verdict: 'slower' | 'faster' | 'same';
}

/** Two runs lay code out differently in memory: changes below this say nothing. */
const LEAST_EFFECT = 0.05;

const key = (r: Row): string => `${r.group}\n${r.case}\n${r.unit}\n${r.peer ?? ''}`;

/** Time per operation, relative to the peer's median when there is one. */
function times(row: Row, peer: Row | undefined): number[] {
  const time = row.samples.map((x) => (isRate(row.unit) ? 1 / x : x));
  if (peer === undefined) return time;
  const unit = isRate(peer.unit) ? 1 / peer.median : peer.median;
  return time.map((t) => t / unit);
}

/** Relative standard error of the median. */
function relativeError(sample: readonly number[]): number {
  return sample.length < 2 ? 0 : bootstrap(sample, 0.95, 1, 500).error / median(sample);
}

/**
 * Rows of `now` that `then` has too. A row of ours is divided by a peer that both runs have, so that a machine that
 * is slower as a whole does not count.
 */
export function compareRuns(then: readonly Row[], now: readonly Row[]): Change[] {
  const earlier = new Map(then.map((r) => [key(r), r]));
  const found: Omit<Change, 'verdict'>[] = [];
  for (const row of now) {
    const old = earlier.get(key(row));
    if (!isOurs(row) || old === undefined || row.samples.length === 0 || old.samples.length === 0) continue;
    const peer = now.find((r) => !isOurs(r) && r.group === row.group && r.case === row.case && earlier.has(key(r)));
    const before = times(old, peer === undefined ? undefined : earlier.get(key(peer)));
    const after = times(row, peer);
    const change: Omit<Change, 'verdict'> = {
      row,
      slowdown: median(after) / median(before),
      noise: Math.max(LEAST_EFFECT, 3 * Math.hypot(relativeError(before), relativeError(after))),
      p: mannWhitney(after, before).p,
    };
    if (peer?.peer !== undefined) change.peer = peer.peer;
    found.push(change);
  }
  const adjusted = holm(found.map((c) => c.p));
  return found.map((change, i) => {
    const p = adjusted[i] as number;
    const beyond = p < 0.05 && Math.abs(Math.log(change.slowdown)) > Math.log(1 + change.noise);
    return { ...change, p, verdict: beyond ? (change.slowdown > 1 ? 'slower' : 'faster') : 'same' };
  });
}
