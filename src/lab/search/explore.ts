/**
 * Exploring: all schedules with 0, 1, 2, ... preemptions, or every trace. The parts of the tree go to search threads; what is
 * through is kept in a state that a checkpoint file can hold.
 */
import { createHash } from 'node:crypto';
import type { Deviation } from './bounded.ts';
import type { DporState } from './dpor.ts';
import type { Explored } from './explore-jobs.ts';
import { addFound, type FoundInBlock } from './found-table.ts';
import type { SearchPool } from './pool.ts';
import type { Subject } from './session.ts';

/** `all`: every trace; a number: every schedule with at most so many preemptions. */
export type Bound = number | 'all';

/** What is known of the schedules with exactly so many preemptions. */
export interface Level {
  preemptions: number;
  schedules: number;
  withFinding: number;
}

/** How far an exploration is. Plain data. */
export interface ExploreState {
  readonly bound: Bound;
  /** One per number of preemptions; a single one for `all`. */
  levels: Level[];
  found: FoundInBlock[];
  traces: number[];
  tracesWithFinding: number[];
  /** Parts of the last level that are not through; undefined before the level is begun. */
  open: Deviation[] | undefined;
  /** For `all`: where the walk goes on. */
  walk: DporState | undefined;
  /** Runs of the walk that were cut. */
  cuts: number;
  /** Estimated number of runs of the walk. */
  estimate: number;
  done: boolean;
}

export interface ExploreHooks {
  signal?: AbortSignal;
  progress?(state: ExploreState): void;
  found?(finding: FoundInBlock): void;
  /** A number of preemptions is through. */
  level?(level: Level): void;
}

/** A stretch of the walk, in milliseconds. */
const STRETCH_MS = 200;

export function newExploration(bound: Bound): ExploreState {
  return {
    bound,
    levels: [],
    found: [],
    traces: [],
    tracesWithFinding: [],
    open: undefined,
    walk: undefined,
    cuts: 0,
    estimate: 0,
    done: false,
  };
}

/** Sets of traces while they grow. */
interface Sets {
  traces: Set<number>;
  bad: Set<number>;
}

function add(state: ExploreState, sets: Sets, level: Level, part: Explored, hooks: ExploreHooks): void {
  for (const fresh of addFound(state.found, part.found, (finding) => finding)) hooks.found?.(fresh);
  level.schedules += part.schedules;
  level.withFinding += part.withFinding;
  for (const trace of part.traces) sets.traces.add(trace);
  for (const trace of part.tracesWithFinding) sets.bad.add(trace);
}

/** Goes on with `state` until it is done or the signal comes; the state is changed and given back. */
export async function explore(pool: SearchPool, subject: Subject, state: ExploreState, hooks: ExploreHooks = {}): Promise<ExploreState> {
  const { scenario, workload } = subject;
  const sets = { traces: new Set(state.traces), bad: new Set(state.tracesWithFinding) };
  try {
    if (state.bound === 'all') await walkAll(pool, { scenario, workload }, state, sets, hooks);
    else await walkLevels(pool, { scenario, workload }, state, state.bound, sets, hooks);
  } finally {
    state.traces = [...sets.traces];
    state.tracesWithFinding = [...sets.bad];
  }
  return state;
}

async function walkAll(pool: SearchPool, subject: Subject, state: ExploreState, sets: Sets, hooks: ExploreHooks): Promise<void> {
  const level = state.levels[0] ?? { preemptions: -1, schedules: 0, withFinding: 0 };
  if (state.levels.length === 0) state.levels.push(level);
  while (!state.done && hooks.signal?.aborted !== true) {
    const from = state.walk === undefined ? {} : { from: state.walk };
    const part = await pool.run('exploreAll', { ...subject, milliseconds: STRETCH_MS, ...from });
    add(state, sets, level, part, hooks);
    state.walk = part.state;
    state.cuts = part.cuts;
    state.estimate = Math.max(part.estimate, level.schedules);
    state.done = part.done;
    hooks.progress?.(state);
  }
}

async function walkLevels(
  pool: SearchPool,
  subject: Subject,
  state: ExploreState,
  bound: number,
  sets: Sets,
  hooks: ExploreHooks,
): Promise<void> {
  while (!state.done && hooks.signal?.aborted !== true) {
    if (state.open === undefined) {
      const preemptions = state.levels.length;
      const level = { preemptions, schedules: 0, withFinding: 0 };
      state.levels.push(level);
      const first = await pool.run('exploreBounded', { ...subject, preemptions });
      add(state, sets, level, first, hooks);
      state.open = [...first.parts];
    }
    const level = state.levels.at(-1) as Level;
    await eachPart(pool, subject, state, level, sets, hooks);
    if (state.open.length > 0) return;
    hooks.level?.(level);
    state.open = undefined;
    state.done = level.preemptions >= bound;
  }
}

/** Hands the open parts of a level to the threads. */
async function eachPart(
  pool: SearchPool,
  subject: Subject,
  state: ExploreState,
  level: Level,
  sets: Sets,
  hooks: ExploreHooks,
): Promise<void> {
  const open = state.open as Deviation[];
  const waiting = [...open];
  const thread = async (): Promise<void> => {
    for (let deviation = waiting.shift(); deviation !== undefined && hooks.signal?.aborted !== true; deviation = waiting.shift()) {
      const part = await pool.run('exploreBounded', { ...subject, preemptions: level.preemptions, deviation });
      add(state, sets, level, part, hooks);
      open.splice(open.indexOf(deviation), 1);
      hooks.progress?.(state);
    }
  };
  await Promise.all(Array.from({ length: pool.threads }, thread));
}

/** Sum over all levels. */
export function totals(state: ExploreState): { schedules: number; withFinding: number } {
  return state.levels.reduce(
    (sum, level) => ({ schedules: sum.schedules + level.schedules, withFinding: sum.withFinding + level.withFinding }),
    { schedules: 0, withFinding: 0 },
  );
}

/** One hash for a set of traces, in whatever order they were found: 16 hexadecimal digits. */
export function hashOfTraces(traces: readonly number[]): string {
  const sorted = Float64Array.from(traces).sort();
  return createHash('sha256').update(new Uint8Array(sorted.buffer)).digest('hex').slice(0, 16);
}

/**
 * About how many schedules there are with at most `bound` preemptions: choose the places of the preemptions, and for each of
 * them, and for each end of a task, who goes on.
 */
export function estimateSchedules(steps: number, tasks: number, bound: number): number {
  let sum = 0;
  let places = 1;
  let orders = 1;
  for (let t = 2; t <= tasks; t++) orders *= t;
  for (let p = 0; p <= bound; p++) {
    sum += places * (tasks - 1) ** p * orders;
    places *= (steps - p) / (p + 1);
  }
  return Math.max(1, Math.round(sum));
}
