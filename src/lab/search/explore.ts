/**
 * Exploring: all schedules with 0, 1, 2, ... preemptions, or every trace. The parts of the tree go to search threads; what is
 * through is kept in a state that a checkpoint file can hold.
 */
import { createHash } from 'node:crypto';
import { type DporState, splitWalk } from './dpor-state.ts';
import type { BoundedPart, Explored } from './explore-jobs.ts';
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
  open: BoundedPart[] | undefined;
  /** For `all`: the parts of the walk that are not through; undefined before it is begun. */
  walks: DporState[] | undefined;
  /** Runs of the walk that were cut. */
  cuts: number;
  /** Estimated number of runs of the walk. */
  estimate: number;
  done: boolean;
}

export interface ExploreHooks {
  signal?: AbortSignal;
  /** Stop after so many. @defaultValue none */
  seconds?: number;
  progress?(state: ExploreState): void;
  found?(finding: FoundInBlock): void;
  /** A number of preemptions is through. */
  level?(level: Level): void;
}

/** A stretch of the walk, in milliseconds; the first one, while threads wait for a share. */
const STRETCH_MS = 200;
const FIRST_STRETCH_MS = 20;

export function newExploration(bound: Bound): ExploreState {
  return {
    bound,
    levels: [],
    found: [],
    traces: [],
    tracesWithFinding: [],
    open: undefined,
    walks: undefined,
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
  const end = performance.now() + (hooks.seconds ?? Number.POSITIVE_INFINITY) * 1000;
  const isOver = () => hooks.signal?.aborted === true || performance.now() >= end;
  try {
    if (state.bound === 'all') await walkAll(pool, { scenario, workload }, state, sets, hooks, isOver);
    else await walkLevels(pool, { scenario, workload }, state, state.bound, sets, hooks, isOver);
  } finally {
    state.traces = [...sets.traces];
    state.tracesWithFinding = [...sets.bad];
  }
  return state;
}

/** The walk over all traces: in stretches, between which it is split as long as there are threads without work. */
async function walkAll(
  pool: SearchPool,
  subject: Subject,
  state: ExploreState,
  sets: Sets,
  hooks: ExploreHooks,
  isOver: () => boolean,
): Promise<void> {
  const level = state.levels[0] ?? { preemptions: -1, schedules: 0, withFinding: 0 };
  /** Parts that nobody works on; `undefined` stands for the whole. */
  const open: (DporState | undefined)[] = [...(state.walks ?? [undefined])];
  if (state.levels.length === 0) state.levels.push(level);
  const idle: (() => void)[] = [];
  let busy = 0;
  const thread = async (): Promise<void> => {
    while (!isOver()) {
      if (open.length === 0) {
        if (busy === 0) break;
        await new Promise<void>((resolve) => idle.push(resolve));
        continue;
      }
      const from = open.shift();
      busy++;
      const milliseconds = busy < pool.threads ? FIRST_STRETCH_MS : STRETCH_MS;
      const part = await pool.run('exploreAll', { ...subject, milliseconds, ...(from === undefined ? {} : { from }) });
      busy--;
      add(state, sets, level, part, hooks);
      state.cuts += part.cuts;
      state.estimate = Math.max(part.estimate, state.estimate, level.schedules);
      if (part.rest !== undefined) open.push(part.rest);
      share(open, pool.threads - busy);
      for (const wake of idle.splice(0)) wake();
      hooks.progress?.(state);
    }
  };
  try {
    await Promise.all(Array.from({ length: pool.threads }, thread));
  } finally {
    state.walks = open.includes(undefined) ? undefined : (open as DporState[]);
    state.done = open.length === 0 && busy === 0;
  }
}

/** Splits open parts until there are `wanted`, if that can be done. */
function share(open: (DporState | undefined)[], wanted: number): void {
  for (let i = 0; i < open.length && open.length < wanted; ) {
    const two = splitWalk(open[i] as DporState);
    if (two === undefined) i++;
    else open.splice(i, 1, ...two);
  }
}

async function walkLevels(
  pool: SearchPool,
  subject: Subject,
  state: ExploreState,
  bound: number,
  sets: Sets,
  hooks: ExploreHooks,
  isOver: () => boolean,
): Promise<void> {
  while (!state.done && !isOver()) {
    if (state.open === undefined) {
      const preemptions = state.levels.length;
      const level = { preemptions, schedules: 0, withFinding: 0 };
      state.levels.push(level);
      const first = await pool.run('exploreBounded', { ...subject, preemptions, milliseconds: STRETCH_MS });
      add(state, sets, level, first, hooks);
      state.open = [...first.parts];
    }
    const level = state.levels.at(-1) as Level;
    await eachPart(pool, subject, state, level, sets, hooks, isOver);
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
  isOver: () => boolean,
): Promise<void> {
  const open = state.open as BoundedPart[];
  const taken = new Set<BoundedPart>();
  const thread = async (): Promise<void> => {
    for (let part = open.find((one) => !taken.has(one)); part !== undefined && !isOver(); part = open.find((one) => !taken.has(one))) {
      taken.add(part);
      const done = await pool.run('exploreBounded', { ...subject, preemptions: level.preemptions, milliseconds: STRETCH_MS, part });
      add(state, sets, level, done, hooks);
      open.splice(open.indexOf(part), 1, ...done.parts);
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
