/** How far a run is, in shared memory: tasks look at it between two rounds, and sleep on it when their story says so. */
import { getUlong, set, setUlong } from '../../machine/door.ts';
import { type Ptr, struct, ulong, word } from '../../machine/layout.ts';
import { addWord, loadWord, storeWord } from '../../machine/lockword.ts';
import { staticStorage } from '../../machine/memory.ts';
import { sleepWhile, wakeWord } from '../../machine/wait.ts';
import { taskCounters } from './counters.ts';

/** Threads get ready. */
export const STAGE_READY = 0;
export const STAGE_RUN = 1;
/** Nothing new is begun. */
export const STAGE_FINISH = 2;
/** The processes are gone; what is left is cleared up. */
export const STAGE_END = 3;

const runState = struct('lab_run_state', {
  stage: word,
  /** Rounds begun by any task. Atomic. */
  begun: word,
  /** Start of the run, ms since 1970; written before STAGE_RUN. */
  startedAt: ulong,
});

const state = staticStorage('lab_run_state', runState.SIZE).address as Ptr<'lab_run_state'>;

/** How far the run is (STAGE_*). */
export function stage(): number {
  return loadWord(state, runState.stage);
}

/** Takes the run on to a later stage and wakes whoever sleeps on it. */
export function setStage(next: number): void {
  if (next <= stage()) return;
  if (next === STAGE_RUN) setUlong(state, runState.startedAt, wallClock());
  storeWord(state, runState.stage, next);
  wakeWord(state, runState.stage);
}

/** Milliseconds since 1970, with fractions; the same clock in all threads. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}

/** Seconds since the run started, 0 before. */
export function elapsed(): number {
  const startedAt = getUlong(state, runState.startedAt);
  return startedAt === 0 ? 0 : (wallClock() - startedAt) / 1000;
}

/** Asks for one more round; false when `limit` rounds have been begun already. */
export function beginRound(limit: number): boolean {
  return addWord(state, runState.begun, 1) <= limit;
}

/** Sleeps for `ms`, or until the stage is no longer `during`. @throws RunStopped */
export function pause(counters: Ptr<'lab_task_counters'>, ms: number, during: number): void {
  if (ms <= 0) return;
  set(counters, taskCounters.asleep, 1);
  sleepWhile(state, runState.stage, during, ms);
  set(counters, taskCounters.asleep, 0);
}
