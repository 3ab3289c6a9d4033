/** Tracepoint: a checker found something. @notrace */
import { announce } from '../../machine/announce.ts';
import { NULL } from '../../machine/layout.ts';
import { EV_REPORT, EV_REPORT_LOGGED, OBJ_NONE, OBJ_SUSPICIOUS_RCU } from './vocabulary.ts';

/** A suspicious dereference was reported, or would have been if its call site had not reported before. @inline */
export function trace_report(): void {
  announce(EV_REPORT, OBJ_SUSPICIOUS_RCU, NULL, 0);
}

/** A new distinct report stands in the log. @param slot  its number there @inline */
export function trace_report_logged(slot: number): void {
  announce(EV_REPORT_LOGGED, OBJ_NONE, NULL, slot);
}
