/**
 * Counters of a run, one set per task in the arena: only the task writes its own, whoever wants progress adds them up.
 */
import { getUlong, setUlong } from '../../machine/door.ts';
import { type Field, type Ptr, struct, type Ulong, ulong, word } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { MAX_TASKS } from '../../machine/task-area.ts';
import type { Counts } from './orders.ts';

export const taskCounters = struct(
  'lab_task_counters',
  {
    trials: ulong,
    exits: ulong,
    passes: ulong,
    killed: ulong,
    visits: ulong,
    slotLeftBehind: ulong,
    destroyedWhileWaiting: ulong,
    cursorWindow: ulong,
    trialsWithReport: ulong,
    /** Changes while the task gets on; see watchdog.ts. */
    heartbeat: word,
    /** 1 while it sleeps because it wants to. */
    asleep: word,
    /** 1 from its start to its end. */
    running: word,
    /** Kind of hit of the current trial: 0 none. Read by the partner after the gate. */
    hit: word,
  },
  64,
);

type Counters = Ptr<'lab_task_counters'>;

const base = staticStorage('lab_task_counters', MAX_TASKS * taskCounters.SIZE, 64).address;

/** The counters of task `index`. */
export function countersOf(index: number): Counters {
  return (base + index * taskCounters.SIZE) as Counters;
}

/** Adds one. */
export function count(counters: Counters, field: Field<'lab_task_counters', Ulong>): void {
  setUlong(counters, field, getUlong(counters, field) + 1);
}

function sum(field: Field<'lab_task_counters', Ulong>): number {
  let total = 0;
  for (let index = 0; index < MAX_TASKS; index++) total += getUlong(countersOf(index), field);
  return total;
}

/** Sums over all tasks; exact while none runs. @param reports  reports so far, repeats included */
export function sumCounters(reports: number): Counts {
  const slotLeftBehind = sum(taskCounters.slotLeftBehind);
  const destroyedWhileWaiting = sum(taskCounters.destroyedWhileWaiting);
  const cursorWindow = sum(taskCounters.cursorWindow);
  return {
    trials: sum(taskCounters.trials),
    exits: sum(taskCounters.exits),
    passes: sum(taskCounters.passes),
    killed: sum(taskCounters.killed),
    visits: sum(taskCounters.visits),
    hits: { total: slotLeftBehind + destroyedWhileWaiting + cursorWindow, slotLeftBehind, destroyedWhileWaiting, cursorWindow },
    trialsWithReport: sum(taskCounters.trialsWithReport),
    reports,
  };
}
