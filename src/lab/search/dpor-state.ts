/** The open part of a walk over all traces, as plain data: for checkpoints, and to be split between threads. */
import { lowestBit } from './bits.ts';

/** Tasks per row of tables that have a row per frame. */
export const ROW = 16;

/** Frames are the states before each step of the next run, from the first one to the one whose choice is new. */
export interface DporState {
  /** The frames below belong to other walks: no other choice is made there. */
  readonly base: number;
  /** Per frame: the choice; bits of the tasks that could run, that are to be tried, that sleep. */
  readonly chosen: readonly number[];
  readonly runnable: readonly number[];
  readonly backtrack: readonly number[];
  readonly sleep: readonly number[];
  /** Objects that a sleeper would give back; the place is frame * ROW + task. */
  readonly gives: readonly (readonly [place: number, objects: readonly number[]])[];
  /** Objects that the step of a frame gave back, where it did. */
  readonly gave: readonly (readonly [frame: number, objects: readonly number[]])[];
}

/**
 * Splits a walk in two, to be walked by different threads: at the first frame where something is left to be tried, one keeps the
 * choice that is made there, the other gets all the others, with that one asleep. Both know then that at this frame every
 * choice is tried or asleep, so no race that either finds asks for more there. As no two complete runs of a walk with
 * sleep sets are equivalent, in whatever order choices are tried, the complete runs of both together are as many as
 * without the split; only runs that are cut become more.
 * @returns undefined when there is nothing to split
 */
export function splitWalk(state: DporState): [DporState, DporState] | undefined {
  const { base, chosen, runnable, backtrack, sleep, gives, gave } = state;
  // The last frame's choice has not been made yet, so what it gives back is not known.
  for (let f = base; f < chosen.length - 1; f++) {
    const kept = 1 << (chosen[f] as number);
    const others = (runnable[f] as number) & ~(sleep[f] as number) & ~kept;
    if (others === 0) continue;
    const all = backtrack.with(f, runnable[f] as number);
    const asleep = (sleep[f] as number) | kept;
    const given = gave.find(([frame]) => frame === f)?.[1];
    const place = f * ROW + (chosen[f] as number);
    const below = <T>(column: readonly T[]): readonly T[] => column.slice(0, f);
    const other: DporState = {
      base: f,
      chosen: [...below(chosen), lowestBit(others)],
      runnable: runnable.slice(0, f + 1),
      backtrack: all.slice(0, f + 1),
      sleep: [...below(sleep), asleep],
      gives: [...gives.filter(([at]) => at < (f + 1) * ROW && at !== place), ...(given === undefined ? [] : [[place, given] as const])],
      gave: gave.filter(([frame]) => frame < f),
    };
    return [{ ...state, base: f + 1, backtrack: all }, other];
  }
  return undefined;
}
