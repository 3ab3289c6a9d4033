/**
 * The flight recorder: a ring of the last records of every task, in the arena, in one order.
 *
 * A record is four words: clock, `event << 24 | object << 16`, address, value; of a call or a return only the second,
 * with the function in its low half. The order is Lamport's
 * (CACM 1978): each task counts its own clock, and synchronising events join it with a stamp kept for the
 * cache line of the word they touch. A shared counter would cost a contended atomic per event (34 ns); a stamp costs a
 * load and a store, on a line that travels with the lock anyway.
 * Lock events are ordered exactly (a stamp is written before the release and read after the acquire). Two
 * read-modify-writes of one counter at the same moment can come out swapped; the values in them tell.
 */
import { bootOptions } from './boot.ts';
import { i32 as arenaWords, staticStorage } from './memory.ts';
import { AREA_CLOCK, AREA_RING, AREA_RING_CLOCK, AREA_RING_HEAD, areaOf, currentArea, MAX_TASKS } from './task-area.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** Events of the machine itself; the kernel's vocabulary starts at 8 (kernel/trace/vocabulary.ts). */
export const EV_ENTER = 1;
export const EV_LEAVE = 2;

const RECORD_BYTES = 16;
const STAMP_LINES = 256;

const boot = bootOptions();
const ring = staticStorage('ring_size', 64);
if (ring.fresh) i32[ring.address >> 2] = boot.ringRecords;
const RING_RECORDS = i32[ring.address >> 2] as number;
const RING_MASK = RING_RECORDS - 1;
const rings = staticStorage('rings', MAX_TASKS * RING_RECORDS * RECORD_BYTES, 64).address;
const stamps = staticStorage('stamps', STAMP_LINES * 64, 64).address;

for (let index = 0; index < MAX_TASKS; index++) {
  if (ring.fresh) i32[(areaOf(index) + AREA_RING) >> 2] = rings + index * RING_RECORDS * RECORD_BYTES;
}

/** Word index of the ring of this thread's only task, 0 when it plays several. */
const ONLY_RING = boot.task === undefined ? 0 : (rings + boot.task * RING_RECORDS * RECORD_BYTES) >> 2;

/** Takes the next record of the ring; gives its word index. */
function nextRecord(area: number): number {
  const head = i32[(area + AREA_RING_HEAD) >> 2] as number;
  i32[(area + AREA_RING_HEAD) >> 2] = head + 1;
  return (ONLY_RING === 0 ? (i32[(area + AREA_RING) >> 2] as number) >> 2 : ONLY_RING) + (head & RING_MASK) * (RECORD_BYTES >> 2);
}

const STEPPED = boot.stepped;
let steppedClock = 0;

function put(area: number, taskClock: number, what: number, address: number, value: number): void {
  // With all tasks in one thread there is one order, and no need to work it out.
  const clock = STEPPED ? ++steppedClock : taskClock;
  i32[(area + AREA_CLOCK) >> 2] = clock;
  const at = nextRecord(area);
  i32[at] = clock;
  i32[at + 1] = what;
  i32[at + 2] = address;
  i32[at + 3] = value;
}

/** Records a function call: one word. Its place among the events of its own task is all that is known of its time. */
export function recordEnter(id: number): void {
  i32[nextRecord(currentArea()) + 1] = (EV_ENTER << 24) | id;
}

/** Records the return of the function. */
export function recordLeave(): void {
  i32[nextRecord(currentArea()) + 1] = EV_LEAVE << 24;
}

/** Records an event that no other task is ordered by. */
export function recordLocal(event: number, object: number, address: number, value: number): void {
  const area = currentArea();
  put(area, (i32[(area + AREA_CLOCK) >> 2] as number) + 1, (event << 24) | (object << 16), address, value);
}

/**
 * Records an event that orders tasks: a lock taken (after it was), a lock given up (before it is), an atomic (after it).
 * @param line  the address whose cache line carries the order
 */
export function recordSync(event: number, object: number, address: number, value: number, line: number): void {
  const area = currentArea();
  const stamp = (stamps + ((line >>> 6) & (STAMP_LINES - 1)) * 64) >> 2;
  const own = i32[(area + AREA_CLOCK) >> 2] as number;
  const theirs = i32[stamp] as number;
  // The difference, because the clock wraps round after some minutes.
  const clock = (((own - theirs) | 0) > 0 ? own : theirs) + 1;
  i32[stamp] = clock;
  put(area, clock, (event << 24) | (object << 16), address, value);
}

/** Forgets what the current task recorded, e.g. before a trial. Its clock goes on. */
export function resetRing(): void {
  const area = currentArea();
  i32[(area + AREA_RING_HEAD) >> 2] = 0;
  i32[(area + AREA_RING_CLOCK) >> 2] = i32[(area + AREA_CLOCK) >> 2] as number;
}

/** A record, decoded. */
export interface FlightRecord {
  /** Index of the task's area. */
  task: number;
  /** Place in the task's own order. */
  sequence: number;
  clock: number;
  event: number;
  object: number;
  /** The function called, or the one that the event counts for; 0 when that was called before the oldest record. */
  fn: number;
  address: number;
  value: number;
}

/** The records still in the ring of task `index`, oldest first. Racy while that task runs. */
export function readRing(index: number): FlightRecord[] {
  const area = areaOf(index);
  const head = i32[(area + AREA_RING_HEAD) >> 2] as number;
  const start = i32[(area + AREA_RING) >> 2] as number;
  const out: FlightRecord[] = [];
  // Calls carry no clock and events no function: both follow from what stands before them.
  let clock = i32[(area + AREA_RING_CLOCK) >> 2] as number;
  const within: number[] = [];
  for (let n = Math.max(0, head - RING_RECORDS); n < head; n++) {
    const at = (start + (n & RING_MASK) * RECORD_BYTES) >> 2;
    const what = i32[at + 1] as number;
    const event = what >>> 24;
    const call = event === EV_ENTER || event === EV_LEAVE;
    if (event === EV_ENTER) within.push(what & 0xffff);
    if (!call) clock = i32[at] as number;
    out.push({
      task: index,
      sequence: n,
      clock,
      event,
      object: call ? 0 : (what >>> 16) & 0xff,
      fn: event === EV_LEAVE ? 0 : (within.at(-1) ?? 0),
      address: call ? 0 : (i32[at + 2] as number),
      value: call ? 0 : (i32[at + 3] as number),
    });
    if (event === EV_LEAVE) within.pop();
  }
  // What was in the ring before its oldest record is gone: calls there happened just before the first event.
  if (head > RING_RECORDS) {
    const first = out.find((record) => record.event !== EV_ENTER && record.event !== EV_LEAVE);
    for (const record of out) {
      if (first === undefined || record === first) break;
      record.clock = first.clock - 1;
    }
  }
  // What the task wrote over meanwhile is not what it was.
  const behind = (i32[(area + AREA_RING_HEAD) >> 2] as number) - RING_RECORDS;
  return out.filter((record) => record.sequence >= behind);
}
