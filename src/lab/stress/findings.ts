/** The distinct reports of a world, with the diagram of what led to each. */
import { type LoggedReport, readReports } from '../../kernel/printk.ts';
import { EVENT_NAMES, OBJECT_NAMES } from '../../kernel/trace/vocabulary.ts';
import { hashText } from '../../machine/memory.ts';
import type { FlightRecord } from '../../machine/recorder.ts';
import { functionInfo } from '../../machine/shadow-stack.ts';
import { diagramOf } from '../diagram/from-records.ts';
import { type Capture, readCapture } from './capture.ts';
import type { Finding } from './orders.ts';
// What tasks run is loaded here too, so that its functions have their names in this thread.
import './organic.ts';
import './paired.ts';
import './scenario-tasks.ts';

/** The id of a report: the same on every machine. */
export function signatureId(kind: string, key: string): string {
  return `${kind}-${(hashText(`${kind}\n${key}`) >>> 0).toString(16).padStart(8, '0')}`;
}

/** A record in words, for `trace.json`. */
function spell(record: FlightRecord): unknown {
  return {
    clock: record.clock,
    event: EVENT_NAMES[record.event] ?? record.event,
    ...(record.object === 0 ? {} : { object: OBJECT_NAMES[record.object] ?? record.object }),
    ...(record.fn === 0 ? {} : { fn: functionInfo(record.fn)?.name ?? record.fn }),
    ...(record.address === 0 ? {} : { address: record.address }),
    value: record.value,
  };
}

function spellAll(capture: Capture): unknown {
  return {
    trial: capture.trial,
    seconds: capture.seconds,
    tasks: capture.tasks.map(({ name, records }) => ({ name, events: records.map(spell) })),
  };
}

function toFinding(report: LoggedReport): Finding {
  const capture = readCapture(report.slot);
  // Some reports bring the ledger of their object along.
  const told = report.lines.some((line) => line.startsWith('References of '));
  const ledger = told || capture === undefined || capture.ledger.length === 0 ? [] : ['', ...capture.ledger];
  return {
    id: signatureId(report.kind, report.key),
    kind: report.kind,
    title: report.title,
    count: report.count,
    first: { trial: capture?.trial ?? 0, seconds: capture?.seconds ?? 0 },
    text: [...report.lines, ...ledger].join('\n'),
    diagram: capture === undefined ? '' : diagramOf(capture.tasks, report.title),
    trace: capture === undefined ? undefined : spellAll(capture),
  };
}

/**
 * All findings so far, in the order of their first occurrence.
 * @param over  no task runs any more; else a report is left out until what led to it is there, a moment later
 */
export function readFindings(over: boolean): Finding[] {
  return readReports()
    .filter(({ slot }) => over || readCapture(slot) !== undefined)
    .map(toFinding);
}
