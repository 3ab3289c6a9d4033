/** From the records of the flight recorder to the columns of a diagram. */
import { mm_struct } from '../../kernel/include/mm_types.ts';
import {
  EV_DEC,
  EV_KSM_EXIT,
  EV_LIST_STATE,
  EV_REPORT,
  EV_REPORT_LOGGED,
  EV_SET,
  EV_VISIT,
  OBJ_MM_COUNT,
  OBJ_MM_USERS,
  OBJ_MMAP_LOCK,
  OBJ_SCAN_CURSOR,
} from '../../kernel/trace/vocabulary.ts';
import { EV_ENTER, EV_LEAVE, type FlightRecord } from '../../machine/recorder.ts';
import { functionInfo } from '../../machine/shadow-stack.ts';
import { type Call, type Column, drawDiagram, type Happening, type Step } from './diagram.ts';
import { wordEvent } from './wording.ts';

/** The records of one task, oldest first. */
export interface TaskRecords {
  index: number;
  name: string;
  records: FlightRecord[];
}

/** The mm that the reporting task visited last; 0 when it visited none. */
export function subjectOf(records: readonly FlightRecord[]): number {
  return records.findLast((record) => record.event === EV_VISIT)?.address ?? 0;
}

/** The records from the outermost call on that record `at` stands in. */
export function fromOutermost(records: readonly FlightRecord[], at: number): FlightRecord[] {
  let start = at;
  let open = 0;
  for (let i = at - 1; i >= 0; i--) {
    const event = records[i]?.event;
    if (event === EV_LEAVE) open++;
    else if (event === EV_ENTER) {
      if (open > 0) open--;
      else start = i;
    }
  }
  return records.slice(start);
}

/**
 * What a task did in the story that ends with the report.
 * @param subject  the mm that it is about, 0: none
 */
export function cutTask(records: readonly FlightRecord[], subject: number, isReporter: boolean): FlightRecord[] {
  if (isReporter) return fromOutermost(records, records.length - 1);
  const at = records.findLastIndex((record) => record.event === EV_KSM_EXIT && record.address === subject);
  return at < 0 ? [] : fromOutermost(records, at);
}

/** Is the event about another mm than `subject`? */
function elsewhere(record: FlightRecord, subject: number): boolean {
  const inMm =
    record.object === OBJ_MMAP_LOCK || record.object === OBJ_MM_USERS || record.object === OBJ_MM_COUNT || record.event === EV_KSM_EXIT;
  return inMm && subject !== 0 && (record.address < subject || record.address >= subject + mm_struct.SIZE);
}

/** Index of the last time that the task set the cursor on the subject; -1 when it did not. */
function cursorSet(records: readonly FlightRecord[], subject: number): number {
  return records.findLastIndex((r) => r.event === EV_SET && r.object === OBJ_SCAN_CURSOR && r.address === subject);
}

function nameOf(fn: number): string {
  return functionInfo(fn)?.name ?? `function ${fn}`;
}

/** Builds the calls and events of one column. */
function stepsOf(records: readonly FlightRecord[], subject: number): Step[] {
  const root: Step[] = [];
  const open: Step[][] = [root];
  // A pass visits many an mm; only the steps from where the cursor comes to this one matter.
  const cursor = cursorSet(records, subject);
  const from =
    cursor < 0
      ? 0
      : Math.max(
          0,
          records.slice(0, cursor).findLastIndex((record) => record.event !== EV_LIST_STATE),
        );
  for (const [i, record] of records.entries()) {
    const inner = open.at(-1) as Step[];
    if (record.event === EV_ENTER) {
      const call: Call = { name: nameOf(record.fn), clock: record.clock, steps: [] };
      inner.push(call);
      open.push(call.steps);
    } else if (record.event === EV_LEAVE) {
      if (open.length > 1) open.pop();
    } else if ((cursor < 0 || i >= from) && !elsewhere(record, subject)) {
      const line = wordEvent(record);
      if (line !== undefined) inner.push({ ...line, clock: record.clock });
      const remark = remarkAfter(record);
      if (remark !== undefined) inner.push(remark);
    }
  }
  return root;
}

/** What a person should know at this moment. */
function remarkAfter(record: FlightRecord): Happening | undefined {
  if (record.event === EV_DEC && record.object === OBJ_MM_USERS && record.value === 0) {
    const text = 'At this point mm->mm_users is 0, but mm->mm_count is not: it will\nbe decremented at the end of __mmput().';
    return { text, clock: record.clock, weight: 3, remark: true };
  }
  return undefined;
}

/**
 * Draws what led to a report.
 * @param tasks  the reporting task first
 * @param title  of the report
 */
export function diagramOf(tasks: readonly TaskRecords[], title: string): string {
  const [reporter] = tasks;
  if (reporter === undefined) return '';
  const subject = subjectOf(reporter.records);
  const last =
    reporter.records.findLast((record) => record.event === EV_REPORT || record.event === EV_REPORT_LOGGED) ?? reporter.records.at(-1);
  // Clocks wrap round; seen from the report, all that was before it is negative.
  const end = last?.clock ?? 0;
  const columns: Column[] = [];
  for (const task of tasks) {
    const steps = stepsOf(
      task.records.map((record) => ({ ...record, clock: (record.clock - end) | 0 })).filter((record) => record.clock <= 0),
      subject,
    );
    if (task === reporter) steps.push({ text: `task 1: WARNING: ${title}`, clock: 0, weight: 3, remark: true });
    if (steps.length > 0) columns.push({ steps });
  }
  return drawDiagram(columns);
}
