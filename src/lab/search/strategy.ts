/** What a strategy is, and where strategies are found: one file each in `strategies/`. */
import { readdirSync } from 'node:fs';
import type { Random } from './random.ts';

/** What a strategy may know before a schedule. */
export interface ScheduleStart {
  readonly random: Random;
  /** Number of tasks. */
  readonly tasks: number;
  readonly profile: Profile;
}

/** Measured once per campaign, on one schedule without preemptions: the same numbers every time. */
export interface Profile {
  /** Scheduling points of the whole schedule. */
  readonly steps: number;
  /** Scheduling points of each task. */
  readonly stepsOf: readonly number[];
  /** Addresses that more than one task touches, one of them writing, with the number of touches per task. */
  readonly shared: ReadonlyMap<number, readonly number[]>;
}

/** The state in which a strategy chooses. Reused from one choice to the next. */
export interface View {
  /** Bit t: task t can go on. Never 0, and at least two bits are set. */
  runnable: number;
  /** Bit t: task t is not through yet. */
  live: number;
  /** The task that made the last step; -1 at the beginning. */
  current: number;
  /** Number of the step to be made, from 1. */
  step: number;
  /** Pending operation of each live task: POINT_*. */
  readonly kind: Int32Array;
  /** The word or lock that it touches. */
  readonly address: Int32Array;
  /**
   * A strategy may set this in `choose`: while its choice goes on, it need not be asked before this step.
   * The engine puts it back to 0 before each choice.
   */
  calmUntil: number;
}

export interface Strategy {
  /** Before each schedule. */
  begin(start: ScheduleStart): void;
  /** Which of `view.runnable` makes the next step; -1 gives the schedule up. Not asked when there is only one. */
  choose(view: View): number;
  /** After each choice, forced ones too: the task's pending operation is being made. Costs speed; leave it out if not needed. */
  executed?(task: number, view: View): void;
  /** During the step that `executed` told of last, the task gave this object back to its slab. */
  freed?(task: number, object: number): void;
  /** No task can go on; `view.live` tells which are not through. */
  deadlocked?(view: View): void;
  /** Wants to be asked even when only one task can go on. */
  readonly alwaysAsk?: boolean;
}

export interface StrategyOptions {
  /** Bug depth to aim at, where a strategy knows such a thing. */
  readonly depth: number;
}

/** What a strategy file exports as `create`. */
export type StrategyFactory = (options: StrategyOptions) => Strategy;

const folder = new URL('./strategies/', import.meta.url);

/** Names of all strategies: the files of `strategies/`. */
export function strategyNames(): string[] {
  return readdirSync(folder)
    .filter((name) => /^[a-z-]+\.[jt]s$/.test(name))
    .map((name) => name.replace(/\.[jt]s$/, ''))
    .sort();
}

/** Loads a strategy by name. */
export async function loadStrategy(name: string, options: StrategyOptions): Promise<Strategy> {
  const extension = import.meta.url.slice(-2);
  const module = (await import(new URL(`${name}.${extension}`, folder).href)) as { create: StrategyFactory };
  return module.create(options);
}
