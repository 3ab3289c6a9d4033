/**
 * Where tracepoints go: the flight recorder, and one listener of this thread (counters, a trace writer).
 *
 * Kernel code announces through `trace_*` functions (kernel/trace/) and knows nothing of who listens.
 */
import { bootOptions } from './boot.ts';
import { recordLocal, recordSync } from './recorder.ts';

const RECORD = bootOptions().record;

/** Hears an event: its number, the object's number, an address and a value. Runs in the task, between two steps of it. */
export type Listener = (event: number, object: number, address: number, value: number) => void;

const wanted = new Uint8Array(64);
let listener: Listener = () => {};

/**
 * Makes `heard` the one listener of this thread.
 * @param events  the event numbers it wants; all others cost a byte load
 */
export function listen(heard: Listener, events: Iterable<number>): void {
  wanted.fill(0);
  for (const event of events) wanted[event] = 1;
  listener = heard;
}

/**
 * Would an announcement of the event be heard or recorded? For tracepoints that look something up first. This and the
 * two below are small, so that the JIT inlines them even where its budget for a function is spent.
 */
export function isHeard(event: number): boolean {
  return RECORD || wanted[event] !== 0;
}

/** Announces an event that orders nothing between tasks. */
export function announce(event: number, object: number, address: number, value: number): void {
  if (RECORD || wanted[event] !== 0) tell(event, object, address, value);
}

/** Announces an event that orders tasks through the cache line of `line` (see recorder.ts). */
export function announceSync(event: number, object: number, address: number, value: number, line: number): void {
  if (RECORD || wanted[event] !== 0) tellSync(event, object, address, value, line);
}

function tell(event: number, object: number, address: number, value: number): void {
  if (RECORD) recordLocal(event, object, address, value);
  if (wanted[event] !== 0) listener(event, object, address, value);
}

function tellSync(event: number, object: number, address: number, value: number, line: number): void {
  if (RECORD) recordSync(event, object, address, value, line);
  if (wanted[event] !== 0) listener(event, object, address, value);
}
