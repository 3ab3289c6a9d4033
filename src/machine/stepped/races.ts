/**
 * Data races on plain accesses: C. Flanagan, S. Freund, "FastTrack: Efficient and Precise Dynamic Race Detection", PLDI 2009.
 *
 * Each task has a vector clock; each lock, and each word that is accessed by READ_ONCE, WRITE_ONCE or atomics, the clock of
 * its last release. Each word has the epoch (task and time) of its last write, and of its last read, or a whole vector
 * once reads are concurrent. Two accesses race when neither happened before the other, one of them writes, and one of them is plain.
 * Precise for the first race on a word in the schedule that was played.
 *
 * Departures: a reader's release goes to a clock that only writers acquire. Marked accesses (READ_ONCE and the like) order as
 * acquire and release, which is what the Atomics under them do; in Linux they order less.
 *
 * It runs at every access, so all is in flat arrays: an epoch is one number, a word is found by its address in one step, and
 * a schedule forgets the one before by setting a count to 0 (a word's record counts only if it says so itself).
 */
import { bootOptions } from '../boot.ts';
import { arenaBytes, i32 as arenaWords } from '../memory.ts';
import {
  POINT_AWAIT,
  POINT_LOCK,
  POINT_RCU,
  POINT_READ,
  POINT_RLOCK,
  POINT_RMW,
  POINT_RUNLOCK,
  POINT_TRYLOCK,
  POINT_UNLOCK,
  POINT_WRITE,
} from '../points.ts';
import { currentFunction } from '../shadow-stack.ts';
import { AREA_INDEX, currentArea } from '../task-area.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

const RACES = bootOptions().races;

/** Tasks have 4 bits of an epoch, times the rest. Time begins at 1, so epoch 0 is before everything. */
const TASK_BITS = 4;
const TASK_MASK = (1 << TASK_BITS) - 1;
/** In place of the epoch of the last read: several, in {@link readTimes}. */
const MANY = -1;

/** Words that a schedule can touch. */
const RECORDS = RACES ? 1 << 16 : 1;
/** Of an arena word: the number of its record, if that record is in use and names the word. */
const numbers = new Uint16Array(RACES ? arenaBytes >> 2 : 0);
/** Eight words per record; those below, counted from the first. */
const records = new Int32Array(RECORDS << 3);
const WRITTEN = 1;
const WRITTEN_BY = 2;
const READ = 3;
const READ_BY = 4;
const FLAGS = 5;
/** The last write was marked; all reads since were; releases were noted by writers, by readers. */
const MARKED_WRITE = 1;
const MARKED_READS = 2;
const RELEASED = 4;
const RELEASED_BY_READERS = 8;

/** Per record a vector of times: of the last release by writers, by readers, of the last reads where they were concurrent. */
const releases = new Int32Array(RECORDS << TASK_BITS);
const readerReleases = new Int32Array(RECORDS << TASK_BITS);
const readTimes = new Int32Array(RECORDS << TASK_BITS);

/** The vector clock of each task. */
const clocks = new Int32Array(1 << (2 * TASK_BITS));
/** Records in use; tasks of the schedule. */
let used = 0;
let tasks = 0;

/** What a kind of point does. */
const READS_WORD = 1;
const WRITES_WORD = 2;
const ACQUIRES = 4;
const ACQUIRES_READERS = 8;
const RELEASES = 16;
const RELEASES_AS_READER = 32;
const EFFECTS = new Uint8Array(16);
for (const kind of [POINT_READ, POINT_RCU, POINT_AWAIT]) EFFECTS[kind] = READS_WORD | ACQUIRES;
EFFECTS[POINT_WRITE] = WRITES_WORD | RELEASES;
EFFECTS[POINT_RMW] = WRITES_WORD | ACQUIRES | ACQUIRES_READERS | RELEASES;
for (const kind of [POINT_LOCK, POINT_TRYLOCK]) EFFECTS[kind] = ACQUIRES | ACQUIRES_READERS;
EFFECTS[POINT_RLOCK] = ACQUIRES;
EFFECTS[POINT_UNLOCK] = RELEASES;
EFFECTS[POINT_RUNLOCK] = RELEASES_AS_READER;

/** Hears of a race at `address`: the current task's access, and function and kind of the other one. */
export type RaceListener = (write: boolean, address: number, otherFn: number, otherWrote: boolean) => void;
let race: RaceListener = () => {};

/** Makes `heard` the listener of this thread. */
export function onRace(heard: RaceListener): void {
  race = heard;
}

/** A schedule of `count` tasks begins; accesses of other tasks are not looked at. */
export function beginRaces(count: number): void {
  used = 0;
  tasks = count;
  clocks.fill(0);
  for (let t = 0; t < count; t++) clocks[(t << TASK_BITS) + t] = 1;
}

/** The current task makes a plain access. */
export function sawPlain(address: number, write: boolean): void {
  const task = i32[(currentArea() + AREA_INDEX) >> 2] as number;
  if (task < tasks) access(task, recordOf(address >> 2), address, write, false);
}

/** The current task gives an object back: an access of its own, to the first word. */
export function sawFree(object: number): void {
  const task = i32[(currentArea() + AREA_INDEX) >> 2] as number;
  if (task < tasks) access(task, recordOf(object >> 2), object, false, true);
}

/** The current task makes the step that it announced: a marked access, or a lock operation. */
export function sawStep(kind: number, address: number): void {
  const task = i32[(currentArea() + AREA_INDEX) >> 2] as number;
  if (task >= tasks) return;
  const effects = EFFECTS[kind] as number;
  const at = recordOf(address >> 2);
  if ((effects & (READS_WORD | WRITES_WORD)) !== 0) access(task, at, address, (effects & WRITES_WORD) !== 0, true);
  const clock = task << TASK_BITS;
  const vector = at << (TASK_BITS - 3);
  const flags = records[at + FLAGS] as number;
  if ((effects & ACQUIRES) !== 0 && (flags & RELEASED) !== 0) join(clocks, clock, releases, vector);
  if ((effects & ACQUIRES_READERS) !== 0 && (flags & RELEASED_BY_READERS) !== 0) join(clocks, clock, readerReleases, vector);
  if ((effects & (RELEASES | RELEASES_AS_READER)) === 0) return;
  if ((effects & RELEASES) !== 0) release(releases, vector, clock, (flags & RELEASED) !== 0);
  else release(readerReleases, vector, clock, (flags & RELEASED_BY_READERS) !== 0);
  records[at + FLAGS] = flags | ((effects & RELEASES) !== 0 ? RELEASED : RELEASED_BY_READERS);
  clocks[clock + task] = (clocks[clock + task] as number) + 1;
}

/** First word of the record of a word of the arena. */
function recordOf(word: number): number {
  const number = numbers[word] as number;
  return number < used && records[number << 3] === word ? number << 3 : newRecord(word);
}

function newRecord(word: number): number {
  if (used === RECORDS) throw new RangeError(`a schedule touches more than ${RECORDS} words`);
  const at = used << 3;
  numbers[word] = used++;
  records[at] = word;
  records[at + WRITTEN] = 0;
  records[at + READ] = 0;
  records[at + FLAGS] = 0;
  return at;
}

/** Takes the later of two times for every task. */
function join(into: Int32Array, to: number, from: Int32Array, at: number): void {
  for (let t = 0; t < tasks; t++) if ((from[at + t] as number) > (into[to + t] as number)) into[to + t] = from[at + t] as number;
}

/** Adds a task's clock to what was released before, if anything was. */
function release(into: Int32Array, vector: number, clock: number, more: boolean): void {
  if (more) join(into, vector, clocks, clock);
  else for (let t = 0; t < tasks; t++) into[vector + t] = clocks[clock + t] as number;
}

/** Did an access at `epoch` happen before what the task does now? */
function isBefore(epoch: number, clock: number): boolean {
  return epoch >> TASK_BITS <= (clocks[clock + (epoch & TASK_MASK)] as number);
}

function access(task: number, at: number, address: number, write: boolean, marked: boolean): void {
  const clock = task << TASK_BITS;
  const now = ((clocks[clock + task] as number) << TASK_BITS) | task;
  if (records[at + (write ? WRITTEN : READ)] === now) {
    if (!marked) records[at + FLAGS] = (records[at + FLAGS] as number) & (write ? ~MARKED_WRITE : ~MARKED_READS);
    return;
  }
  if (!isBefore(records[at + WRITTEN] as number, clock) && !(marked && ((records[at + FLAGS] as number) & MARKED_WRITE) !== 0))
    race(write, address, records[at + WRITTEN_BY] as number, true);
  if (write) wrote(at, clock, now, address, marked);
  else read(at, clock, now, marked);
}

function read(at: number, clock: number, now: number, marked: boolean): void {
  const before = records[at + READ] as number;
  if (!marked) records[at + FLAGS] = (records[at + FLAGS] as number) & ~MARKED_READS;
  else if (before === 0) records[at + FLAGS] = (records[at + FLAGS] as number) | MARKED_READS;
  records[at + READ_BY] = currentFunction();
  if (before !== MANY && isBefore(before, clock)) {
    records[at + READ] = now;
    return;
  }
  const times = at << (TASK_BITS - 3);
  if (before !== MANY) {
    for (let t = 0; t < tasks; t++) readTimes[times + t] = 0;
    readTimes[times + (before & TASK_MASK)] = before >> TASK_BITS;
    records[at + READ] = MANY;
  }
  readTimes[times + (now & TASK_MASK)] = now >> TASK_BITS;
}

function wrote(at: number, clock: number, now: number, address: number, marked: boolean): void {
  const before = records[at + READ] as number;
  const flags = records[at + FLAGS] as number;
  const quiet = marked && (flags & MARKED_READS) !== 0;
  if (before === MANY) {
    if (!quiet && !areBefore(at << (TASK_BITS - 3), clock)) race(true, address, records[at + READ_BY] as number, false);
    records[at + READ] = 0;
  } else if (!quiet && !isBefore(before, clock)) race(true, address, records[at + READ_BY] as number, false);
  records[at + WRITTEN] = now;
  records[at + WRITTEN_BY] = currentFunction();
  records[at + FLAGS] = marked ? flags | MARKED_WRITE : flags & ~MARKED_WRITE;
}

/** Did all of several reads happen before what the task does now? */
function areBefore(times: number, clock: number): boolean {
  for (let t = 0; t < tasks; t++) if ((readTimes[times + t] as number) > (clocks[clock + t] as number)) return false;
  return true;
}
