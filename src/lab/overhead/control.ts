/** The words through which the two threads of the overhead lab meet. Runs inside them. */
import { getUlong, setUlong } from '../../machine/door.ts';
import { type Ptr, struct, ulong, word, words } from '../../machine/layout.ts';
import { addWord, loadWord, storeWord } from '../../machine/lockword.ts';
import { staticStorage } from '../../machine/memory.ts';
import { awaitChange, sleepWhile, spinWhile, wakeWord } from '../../machine/wait.ts';

/** One word or pair of words per cache line: each is written by one side. */
export const control = struct(
  'overhead_control',
  {
    /** Number of the exit that the scanner shall meet; written by the exiter. */
    turn: word,
    pad0: words(15),
    /** Turn whose mm the scanner holds mmap_lock of; written by the scanner. */
    visited: word,
    pad1: words(15),
    /** Turn that the scanner is through with. */
    done: word,
    pad2: words(13),
    /** When the scanner gave mmap_lock up, ns on the common clock; ordered by `done`. */
    left_at: ulong,
    pad3: words(14),
    /** 1: the open-ended side shall end its block. */
    stop: word,
    pad4: words(15),
    /** 1: the open-ended side has begun. */
    running: word,
    pad5: words(15),
    ping: word,
    pad6: words(15),
    pong: word,
    pad7: words(15),
    /** Organic load: threads that have come to the start of a block, over all blocks; forkers not yet through; 1: ksmd shall end. */
    ready: word,
    forkers: word,
    ksmdEnd: word,
    pad8: words(13),
    /** How many sleep on any of these words. */
    sleepers: word,
  },
  64,
);

const meeting = staticStorage('overhead_control', control.SIZE).address as Ptr<'overhead_control'>;

type WordName = 'turn' | 'visited' | 'done' | 'stop' | 'running' | 'ping' | 'pong' | 'ready' | 'forkers' | 'ksmdEnd';

export function load(name: WordName): number {
  return loadWord(meeting, control[name]);
}

/** Writes a word; wakes who sleeps on it. Pairs with the count in {@link waitFor}: either the sleeper sees the value, or we see the sleeper. */
export function store(name: WordName, value: number): void {
  storeWord(meeting, control[name], value);
  if (loadWord(meeting, control.sleepers) !== 0) wakeWord(meeting, control[name]);
}

/** Adds to a word that several write; wakes who sleeps on it. @returns the value after */
export function add(name: WordName, change: number): number {
  const value = addWord(meeting, control[name], change);
  if (loadWord(meeting, control.sleepers) !== 0) wakeWord(meeting, control[name]);
  return value;
}

/** Bounded spins (about 16 us each) before the wait sleeps: whoever is waked comes too late to meet anybody. */
const PATIENCE = 4096;

/**
 * Waits until the word is no longer `old`: spins, then sleeps in slices.
 * @param patience  spins before it sleeps; 0 where threads are more than cores
 * @returns the new value
 * @throws RunStopped
 */
export function waitForOther(name: WordName, old: number, patience = PATIENCE): number {
  let left = patience;
  for (;;) {
    const seen = load(name);
    if (seen !== old) return seen;
    if (spinWhile(meeting, control[name], seen) || --left >= 0) continue;
    addWord(meeting, control.sleepers, 1);
    awaitChange(meeting, control[name], seen);
    addWord(meeting, control.sleepers, -1);
  }
}

/** Waits until the word has the value. @throws RunStopped */
export function waitFor(name: WordName, value: number, patience = PATIENCE): void {
  for (let seen = load(name); seen !== value; ) seen = waitForOther(name, seen, patience);
}

/** Sleeps for `ms`, or until the block shall end. @throws RunStopped */
export function sleepWhileRunning(ms: number): void {
  if (ms <= 0) return;
  addWord(meeting, control.sleepers, 1);
  sleepWhile(meeting, control.stop, 0, ms);
  addWord(meeting, control.sleepers, -1);
}

export function scannerLeftAt(): number {
  return getUlong(meeting, control.left_at);
}

export function setScannerLeftAt(nanoseconds: number): void {
  setUlong(meeting, control.left_at, nanoseconds);
}

/** Nanoseconds on the clock that all threads share; the lower 50 bits, to stay exact (they wrap after 13 days). */
export function nowNs(): number {
  return Number(BigInt.asUintN(50, process.hrtime.bigint()));
}
