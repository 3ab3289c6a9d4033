/** Listens to the kernel's tracepoints in a task and counts hits by kind, visits, passes, exits, killed tasks and reports. */

import {
  EXIT_CURSOR_EMPTY,
  EXIT_CURSOR_ITEMS,
  EXIT_MOVED,
  VISIT_DESTROYED,
  VISIT_DESTROYED_BEFORE,
  VISIT_OUTCOME_SHIFT,
} from '../../kernel/trace/trace-ksm.ts';
import { EV_EXITED, EV_PASS, EV_REPORT, EV_REPORT_LOGGED, EV_SET_FLAG, EV_VISIT, OBJ_OOM_VICTIM } from '../../kernel/trace/vocabulary.ts';
import { listen } from '../../machine/announce.ts';
import { get, set } from '../../machine/door.ts';
import { EmulatorBug } from '../../machine/errors.ts';
import type { Ptr } from '../../machine/layout.ts';
import { currentArea } from '../../machine/task-area.ts';
import { count, taskCounters } from './counters.ts';

export const HIT_NONE = 0;
export const HIT_SLOT_LEFT_BEHIND = 1;
export const HIT_DESTROYED_WHILE_WAITING = 2;
export const HIT_CURSOR_WINDOW = 3;

/**
 * What a visit was.
 * @param value  the VISIT_* bits and the outcome of `__ksm_exit` that EV_VISIT carries
 * @throws EmulatorBug when the tree is destroyed although `__ksm_exit` took the slot off the list
 */
export function hitKind(value: number): number {
  if ((value & VISIT_DESTROYED) === 0) return HIT_NONE;
  if ((value & VISIT_DESTROYED_BEFORE) === 0) return HIT_DESTROYED_WHILE_WAITING;
  const outcome = value >> VISIT_OUTCOME_SHIFT;
  if (outcome === EXIT_MOVED || outcome === EXIT_CURSOR_ITEMS) return HIT_SLOT_LEFT_BEHIND;
  if (outcome === EXIT_CURSOR_EMPTY) return HIT_CURSOR_WINDOW;
  throw new EmulatorBug(`the pass visits a destroyed tree, but __ksm_exit had freed the slot (outcome ${outcome})`);
}

export interface HitOptions {
  /** A visit that reports is a trial that does. */
  visitIsTrial: boolean;
  /** Somebody may be killed. */
  kills: boolean;
}

/**
 * Counts what the current task's kernel functions announce into `counters`.
 * @param logged  called when the task has written a new distinct report, with its number in the log and the mm that the
 *   task's pass visited last (0: none)
 */
export function countHits(
  counters: Ptr<'lab_task_counters'>,
  logged: (slot: number, mm: number) => void,
  { visitIsTrial, kills }: HitOptions = { visitIsTrial: true, kills: false },
): void {
  const mine = currentArea();
  let visitReported = false;
  let visited = 0;
  listen(
    (event, object, address, value) => {
      set(counters, taskCounters.heartbeat, (get(counters, taskCounters.heartbeat) + 1) | 0);
      if (event === EV_REPORT_LOGGED) logged(value, visited);
      // The thread sets up trials in another task's name.
      if (currentArea() !== mine) return;
      if (event === EV_VISIT) {
        visitReported = false;
        visited = address;
        count(counters, taskCounters.visits);
        const kind = hitKind(value);
        if (kind === HIT_NONE) return;
        set(counters, taskCounters.hit, kind);
        if (kind === HIT_SLOT_LEFT_BEHIND) count(counters, taskCounters.slotLeftBehind);
        else if (kind === HIT_DESTROYED_WHILE_WAITING) count(counters, taskCounters.destroyedWhileWaiting);
        else count(counters, taskCounters.cursorWindow);
      } else if (event === EV_REPORT) {
        // A pass meets an exiting process at most once, so a visit that reports is a trial that does.
        if (visitIsTrial && !visitReported) count(counters, taskCounters.trialsWithReport);
        visitReported = true;
      } else if (event === EV_SET_FLAG && object === OBJ_OOM_VICTIM) count(counters, taskCounters.killed);
      else if (event === EV_PASS) count(counters, taskCounters.passes);
      else if (event === EV_EXITED) count(counters, taskCounters.exits);
    },
    [EV_VISIT, EV_REPORT, EV_PASS, EV_EXITED, EV_REPORT_LOGGED, ...(kills ? [EV_SET_FLAG] : [])],
  );
}
