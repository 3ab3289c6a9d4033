/** A task thread from start to end. Load it after configureBoot (see workers/task.ts). */

import { variantLoaded } from '../../kernel/mm/ksm-user-variant.ts';
import { set } from '../../machine/door.ts';
import { i32 } from '../../machine/memory.ts';
import { AREA_RANDOM, currentArea, setCurrent } from '../../machine/task-area.ts';
import { countLiveTask } from '../../machine/wait.ts';
import { captureReport } from './capture.ts';
import { countersOf, taskCounters } from './counters.ts';
import { failureOf } from './failure.ts';
import { countHits } from './hits.ts';
import type { Failure, TaskOrder } from './orders.ts';
import { runForker, runKsmd, runToggler } from './organic.ts';
import { runProcess, runScanner } from './paired.ts';
import { nameTask } from './process.ts';
import { runScenarioTask } from './scenario-tasks.ts';

/** Plays the task; returns why it failed, or nothing. */
export async function runTask(order: TaskOrder): Promise<Failure | undefined> {
  try {
    await variantLoaded();
  } catch (error) {
    return failureOf(error);
  }
  setCurrent(order.index);
  i32[(currentArea() + AREA_RANDOM) >> 2] = Math.imul(order.world.seed ^ order.index, 0x9e3779b1) | 1;
  nameTask(100 + order.index, order.comm);
  const counters = countersOf(order.index);
  countHits(counters, (slot, mm) => captureReport(slot, order.world, mm), {
    visitIsTrial: order.role !== 'task',
    kills: order.role === 'task' || order.world.frames > 0,
  });
  set(counters, taskCounters.running, 1);
  countLiveTask(1);
  try {
    if (order.role === 'task') runScenarioTask(order.world, counters, order.index);
    else if (order.role === 'scanner') runScanner(order.world);
    else if (order.role === 'ksmd') runKsmd();
    else if (order.role === 'toggler') runToggler(order.world, counters);
    else if (order.world.shape === 'paired') runProcess(order.world, counters);
    else runForker(order.world, counters, order.index);
    return undefined;
  } catch (error) {
    return failureOf(error);
  } finally {
    countLiveTask(-1);
    set(counters, taskCounters.running, 0);
  }
}
