/**
 * The tasks of any scenario on real threads, trial after trial: each task has a thread of its own, and all start together.
 *
 * The thread of task 0 leads: in the task area of the set-up it brings the memory to where the tasks start, and behind the trial
 * it looks at what they left and clears it away. What does not hold then is filed in the kernel's log as a finding.
 *
 * All threads meet before the tasks run (`here`) and after them (`through`). Both words only grow, by one for each thread and trial, and a
 * thread waits for the number that they have when everybody came. Who waits here says that it sleeps, so that the
 * watchdog judges only those who are in the kernel.
 */

import { task_struct, taskOf } from '../../kernel/include/task_struct.ts';
import { countReport, reportSlot, reportsCounted, writeReport } from '../../kernel/printk.ts';
import { rcu_barrier } from '../../kernel/rcu.ts';
import { findScenario } from '../../kernel/scenarios/index.ts';
import { type Scenario, type ScenarioTask, SETUP_TASK } from '../../kernel/scenarios/scenario.ts';
import { get, set } from '../../machine/door.ts';
import { EmulatorBug } from '../../machine/errors.ts';
import { type Field, type Ptr, struct, type Word, word, words } from '../../machine/layout.ts';
import { addWord, loadWord, storeWord } from '../../machine/lockword.ts';
import { staticStorage } from '../../machine/memory.ts';
import { resetRing } from '../../machine/recorder.ts';
import { setCurrent } from '../../machine/task-area.ts';
import { awaitChange, spinBudget, wakeWord } from '../../machine/wait.ts';
import { checkPages } from './check-pages.ts';
import { count, taskCounters } from './counters.ts';
import type { WorldOrder } from './orders.ts';
import { nameTask } from './process.ts';
import { elapsed, pause, STAGE_READY, STAGE_RUN, stage } from './run-state.ts';

type Counters = Ptr<'lab_task_counters'>;

/** Task 0, whose thread leads. */
const LEADER = 0;
/** Trials between two looks at the clock. */
const LOOK_EVERY = 16;

const meeting = struct(
  'lab_meeting',
  {
    /** The leader comes last, when the trial is set up. Atomic. */
    here: word,
    /** 1: no trial follows. Written by the leader before it is here, read by the others after it. */
    over: word,
    pad: words(14),
    /** Atomic. */
    through: word,
  },
  64,
);
const place = staticStorage('lab_meeting', meeting.SIZE, 64).address as Ptr<'lab_meeting'>;

/** Says that this thread has come, and waits until `all` have. @throws RunStopped */
function meet(counters: Counters, field: Field<'lab_meeting', Word>, all: number): void {
  if (addWord(place, field, 1) === all) {
    wakeWord(place, field);
    return;
  }
  for (let budget = spinBudget(); budget > 0; budget--) if (loadWord(place, field) >= all) return;
  set(counters, taskCounters.asleep, 1);
  for (let seen = loadWord(place, field); seen < all; seen = loadWord(place, field)) awaitChange(place, field, seen);
  set(counters, taskCounters.asleep, 0);
}

/** The scenario, its workload and one of its tasks. */
function castOf({ play }: WorldOrder, index: number): { scenario: Scenario; task: ScenarioTask; size: number } {
  const scenario = play === undefined ? undefined : findScenario(play.scenario);
  const tasks = play === undefined ? [] : (scenario?.tasks(play.workload) ?? []);
  const task = tasks[index];
  if (scenario === undefined || task === undefined) throw new EmulatorBug(`${play?.scenario} has no task ${index}`);
  return { scenario, task, size: tasks.length };
}

/** What did not hold after a trial. */
function reportBroken(order: WorldOrder, sentence: string): void {
  const slot = reportSlot('invariant', sentence);
  if (!countReport(slot)) return;
  const lines = [`BUG: ${sentence}`, `(${order.play?.scenario}, variant ${order.variant}, after all tasks were through)`];
  writeReport(slot, { kind: 'invariant', title: sentence, key: sentence, lines });
}

/** Reports that the tasks made so far. */
function reportsOf(size: number): number {
  let sum = 0;
  for (let index = 0; index < size; index++) sum += get(taskOf(index), task_struct.reports);
  return sum;
}

/** Is there another trial? */
function goesOn(order: WorldOrder, trial: number): boolean {
  if (stage() !== STAGE_RUN || trial >= order.trials || (order.untilReport && reportsCounted() > 0)) return false;
  return trial % LOOK_EVERY !== 0 || elapsed() < order.seconds;
}

/** Plays the tasks' part that runs beside the others. */
function playTrial(order: WorldOrder, task: ScenarioTask, counters: Counters, index: number, before: number, size: number): boolean {
  resetRing();
  meet(counters, meeting.here, before + size);
  if (loadWord(place, meeting.over) !== 0) return false;
  if (order.play !== undefined) task.run(order.play.workload, index);
  set(counters, taskCounters.heartbeat, (get(counters, taskCounters.heartbeat) + 1) | 0);
  meet(counters, meeting.through, before + size);
  return true;
}

/** Task 0, and what is to do before and after each trial. */
function lead(order: WorldOrder, counters: Counters): void {
  const { scenario, task, size } = castOf(order, LEADER);
  const { workload } = order.play as NonNullable<WorldOrder['play']>;
  setCurrent(SETUP_TASK);
  nameTask(100 + SETUP_TASK, 'set-up');
  setCurrent(LEADER);
  while (stage() === STAGE_READY) pause(counters, 1000, STAGE_READY);
  for (let trial = 0; goesOn(order, trial); trial++) {
    setCurrent(SETUP_TASK);
    scenario.setUp(workload);
    setCurrent(LEADER);
    const reports = reportsOf(size);
    playTrial(order, task, counters, LEADER, trial * size, size);
    setCurrent(SETUP_TASK);
    if (order.checks.pages) checkPages(`trial ${trial + 1} of ${scenario.name}`);
    const broken = scenario.check(workload);
    scenario.tearDown(workload);
    setCurrent(LEADER);
    for (const sentence of broken) reportBroken(order, sentence);
    count(counters, taskCounters.trials);
    if (reportsOf(size) > reports) count(counters, taskCounters.trialsWithReport);
  }
  storeWord(place, meeting.over, 1);
  addWord(place, meeting.here, 1);
  wakeWord(place, meeting.here);
  setCurrent(SETUP_TASK);
  rcu_barrier();
  setCurrent(LEADER);
}

/** Task `index` of the scenario, to the end of the run. */
export function runScenarioTask(order: WorldOrder, counters: Counters, index: number): void {
  if (index === LEADER) lead(order, counters);
  else {
    const { task, size } = castOf(order, index);
    for (let before = 0; playTrial(order, task, counters, index, before, size); before += size);
  }
  // What waits for a grace period is nobody's leak.
  rcu_barrier();
}
