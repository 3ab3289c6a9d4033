/**
 * A bare JavaScript model of the race: race.c with typed arrays, one worker for each of its two threads.
 *
 * Words of the shared array, each on a cache line of its own unless one lock protects several.
 */
import { parentPort, workerData } from 'node:worker_threads';

export interface RaceModelData {
  memory: SharedArrayBuffer;
  role: 'scanner' | 'exiter';
  vmas: number;
  milliseconds: number;
}

const ARRIVED = 0;
const GENERATION = 16;
const STOP = 32;
const THREAD_MUTEX = 48;
const MMLIST_LOCK = 64;
const SLOT = 65;
const CURSOR = 66;
/** Objects are taken in turn from a ring: nobody looks at one that long after its death. */
const OBJECTS = 128;
const RING = 8;
const USERS = 0;
const COUNT = 1;
const MMAP_LOCK = 16;
const FLAGS = 17;
const ROOT = 18;
const VMAS = 32;
const LOCK_EXTERN = 0x300;
const ALLOC_RANGE = 0x001;

const { memory, role, vmas, milliseconds } = workerData as RaceModelData;
const words = new Int32Array(memory);
const OBJECT_WORDS = VMAS + 4 * vmas;

function meet(): void {
  const seen = Atomics.load(words, GENERATION);
  if (Atomics.add(words, ARRIVED, 1) === 1) {
    Atomics.store(words, ARRIVED, 0);
    Atomics.store(words, GENERATION, (seen + 1) | 0);
    return;
  }
  while (Atomics.load(words, GENERATION) === seen);
}

function lock(at: number): void {
  while (Atomics.compareExchange(words, at, 0, 1) !== 0);
}

function unlock(at: number): void {
  Atomics.store(words, at, 0);
}

function readLock(at: number): void {
  for (;;) {
    const seen = Atomics.load(words, at);
    if (seen >= 0 && Atomics.compareExchange(words, at, seen, seen + 1) === seen) return;
  }
}

function readUnlock(at: number): void {
  Atomics.sub(words, at, 1);
}

function writeLock(at: number): void {
  while (Atomics.compareExchange(words, at, 0, -1) !== 0);
}

let forks = 0;

function forkProcess(): number {
  const mm = OBJECTS + (forks++ % RING) * OBJECT_WORDS;
  for (let v = mm + VMAS, i = 0; i < vmas; i++, v += 4) {
    words[v] = (i + 1) << 4;
    words[v + 1] = ((i + 1) << 4) + 1;
    words[v + 2] = 1;
    words[v + 3] = 1;
  }
  words[mm + USERS] = 1;
  words[mm + COUNT] = 2;
  words[mm + MMAP_LOCK] = 0;
  words[mm + FLAGS] = ALLOC_RANGE | LOCK_EXTERN;
  words[mm + ROOT] = mm + VMAS;
  lock(MMLIST_LOCK);
  words[SLOT] = mm;
  unlock(MMLIST_LOCK);
  return mm;
}

let hits = 0;
let sink = 0;

function unmergePass(): void {
  lock(THREAD_MUTEX);
  lock(MMLIST_LOCK);
  const mm = words[SLOT] as number;
  words[CURSOR] = mm;
  unlock(MMLIST_LOCK);
  if (mm !== 0) {
    readLock(mm + MMAP_LOCK);
    const root = Atomics.load(words, mm + ROOT);
    if ((Atomics.load(words, mm + FLAGS) & LOCK_EXTERN) === 0) hits++;
    for (let v = root, i = 0; root !== 0 && i < vmas; i++, v += 4) {
      if (Atomics.load(words, mm + USERS) === 0) break;
      if (words[v + 2] !== 0 && words[v + 3] !== 0) sink += (words[v + 1] as number) - (words[v] as number);
    }
    readUnlock(mm + MMAP_LOCK);
    lock(MMLIST_LOCK);
    words[CURSOR] = 0;
    if (Atomics.load(words, mm + USERS) === 0) {
      words[SLOT] = 0;
      unlock(MMLIST_LOCK);
      Atomics.sub(words, mm + COUNT, 1);
    } else unlock(MMLIST_LOCK);
  }
  unlock(THREAD_MUTEX);
}

function processExit(mm: number): void {
  if (Atomics.sub(words, mm + USERS, 1) !== 1) throw new Error('mm_users was not 1');
  lock(MMLIST_LOCK);
  const slot = words[SLOT] as number;
  const easy = slot !== 0 && words[CURSOR] !== slot;
  if (easy) words[SLOT] = 0;
  unlock(MMLIST_LOCK);
  if (easy) Atomics.sub(words, mm + COUNT, 1);
  else if (slot !== 0) {
    writeLock(mm + MMAP_LOCK);
    unlock(mm + MMAP_LOCK);
  }
  readLock(mm + MMAP_LOCK);
  for (let v = words[mm + ROOT] as number, i = 0; i < vmas; i++, v += 4) sink += words[v] as number;
  readUnlock(mm + MMAP_LOCK);
  writeLock(mm + MMAP_LOCK);
  Atomics.store(words, mm + ROOT, 0);
  Atomics.store(words, mm + FLAGS, 0);
  unlock(mm + MMAP_LOCK);
  Atomics.sub(words, mm + COUNT, 1);
}

function scan(): void {
  for (;;) {
    meet();
    if (Atomics.load(words, STOP) !== 0) return;
    unmergePass();
    meet();
  }
}

/** Trials per second. */
function exit(): number {
  const start = performance.now();
  let trials = 0;
  let took = 0;
  do {
    for (let i = 0; i < 256; i++, trials++) {
      const mm = forkProcess();
      meet();
      processExit(mm);
      meet();
      if (words[mm + COUNT] !== 0) throw new Error('the model lost a reference');
    }
    took = performance.now() - start;
  } while (took < milliseconds);
  Atomics.store(words, STOP, 1);
  meet();
  return (1000 * trials) / took;
}

if (role === 'scanner') scan();
else parentPort?.postMessage(exit());
if (sink === 42) parentPort?.postMessage(hits);
