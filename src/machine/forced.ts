/**
 * A recorded schedule forced upon real threads (boot option `forced`): at each scheduling point a task waits for its
 * turn, so one runs at a time, in the order that was recorded. The baton is two words in shared memory:
 *
 * | word | meaning |
 * |---|---|
 * | turn | number of the run of steps that is on; only its task writes here |
 * | left | steps that are left of it |
 */
import { RunStopped } from './errors.ts';
import { i32 as arenaWords, sbrk, staticStorage } from './memory.ts';
import { stopRequested } from './wait.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

const head = staticStorage('forced_schedule', 64).address >> 2;
const TURN = head;
const LEFT = head + 1;
const COUNT = head + 2;
/** Address of the runs: task and steps of each. */
const RUNS = head + 3;

/** Looks at the baton before parking. */
const SPINS = 2000;
const RECHECK_MS = 20;

/** Lays the schedule down. Before any task starts. @param runs  task and number of steps, each */
export function setForcedSchedule(runs: readonly { readonly task: number; readonly steps: number }[]): void {
  const at = sbrk(runs.length * 8 + 8, 8, 'a schedule') >> 2;
  for (const [i, { task, steps }] of runs.entries()) {
    i32[at + 2 * i] = task;
    i32[at + 2 * i + 1] = steps;
  }
  i32[RUNS] = at;
  i32[COUNT] = runs.length;
  i32[LEFT] = runs[0]?.steps ?? 0;
  Atomics.store(i32, TURN, 0);
}

/** Whose turn it is; -1 when the schedule is over, and everybody may go on. */
function whose(turn: number): number {
  return turn >= (i32[COUNT] as number) ? -1 : (i32[(i32[RUNS] as number) + 2 * turn] as number);
}

function handOver(turn: number): void {
  i32[LEFT] = turn + 1 < (i32[COUNT] as number) ? (i32[(i32[RUNS] as number) + 2 * turn + 3] as number) : 0;
  // Pairs with the loads in waitForTurn: whoever sees the turn sees what is left of it.
  Atomics.store(i32, TURN, turn + 1);
  Atomics.notify(i32, TURN);
}

/** Returns the turn when it is `task`'s, or when the schedule is over. @throws RunStopped */
function waitForTurn(task: number): number {
  for (let spins = 0; ; spins++) {
    const turn = Atomics.load(i32, TURN);
    const owner = whose(turn);
    if (owner === task || owner < 0) return turn;
    if (spins < SPINS) continue;
    if (stopRequested()) throw new RunStopped();
    Atomics.wait(i32, TURN, turn, RECHECK_MS);
  }
}

/** The task makes its next step when it is its turn. @throws RunStopped */
export function forcedStep(task: number): void {
  for (;;) {
    const turn = waitForTurn(task);
    if (whose(turn) < 0) return;
    const left = i32[LEFT] as number;
    if (left > 0) {
      i32[LEFT] = left - 1;
      return;
    }
    handOver(turn);
  }
}

/** The task is through: its turn, if it is, and its later ones go to the others. */
export function forcedEnd(task: number): void {
  for (let turn = Atomics.load(i32, TURN); whose(turn) === task; turn = Atomics.load(i32, TURN)) handOver(turn);
}
