/**
 * The gate of a pair: how the process, which leads, and the scanner, which follows, start each trial together, and the words
 * that the leader sets for it.
 *
 * The follower says that it is ready when its part of a trial is over, the leader starts the next when both are. One word each
 * way, and both on one cache line, so that a trial costs the leader two trips of a line between the cores (some 200 ns each).
 *
 * | word | meaning |
 * |---|---|
 * | `started`, `ready`: bit 0 | the other side sleeps on it |
 * | bits 1.. | trials that the leader has started, that the follower has been ready for |
 *
 * Whoever waits spins for a bounded time, then puts the bit there and sleeps in Atomics.wait. Whoever counts on exchanges the
 * word, and wakes the other if the bit was there: no wake-up is lost.
 */
import { RunStopped } from '../../machine/errors.ts';
import { type Field, type Ptr, struct, type Word, word } from '../../machine/layout.ts';
import { loadWord, storeWord, swapWord, tryCas } from '../../machine/lockword.ts';
import { i32 as arenaWords, staticStorage } from '../../machine/memory.ts';
import { spinBudget, stopRequested, wakeWord } from '../../machine/wait.ts';

const i32 = arenaWords;

/** A sleeper looks again after this long: a lost wake-up or a dead partner costs time, never the run. */
const RECHECK_MS = 50;

/**
 * A leader that finds the follower asleep wakes it and waits until it is awake, so that both start together; for so many
 * loads at most (about 150 us, a wake-up takes 50), because the host may have better things to do than to run it. If it
 * had, the next wake-ups are not waited for.
 */
const AWAKE_SPINS = 20_000;
const BUSY_WAKE_UPS = 64;

/** Wake-ups not to wait for. */
let hostIsBusy = 0;

export const pairGate = struct(
  'lab_pair_gate',
  {
    started: word,
    ready: word,
    /** One sleeps, or is not yet quite awake. */
    leaderAsleep: word,
    followerAsleep: word,
    // Written by the leader before it starts a trial, read by the follower after.
    /** 0: a trial follows; 1: it was the last. */
    over: word,
    /** Where the follower is to wait in this trial (see machine/aimed.ts), and for how many points of the leader. */
    followerSite: word,
    followerUntil: word,
    /** The follower is to note the sites that it passes. */
    followerWatches: word,
  },
  64,
);

type Gate = Ptr<'lab_pair_gate'>;
type GateWord = Field<'lab_pair_gate', Word>;

/** The one gate of this world. */
export const gate: Gate = staticStorage('lab_pair_gate', pairGate.SIZE, 64).address as Gate;

/** Counts a word on by one; true when the other side sleeps on it. */
function countOn(counter: GateWord): boolean {
  const next = ((loadWord(gate, counter) & ~1) + 2) | 0;
  if ((swapWord(gate, counter, next) & 1) === 0) return false;
  wakeWord(gate, counter);
  return true;
}

/** Waits until the word has come as far as `count`. @throws RunStopped */
function awaitCount(counter: GateWord, count: number, asleep: GateWord): void {
  for (let budget = spinBudget(); budget > 0; budget--) if (((loadWord(gate, counter) - count) | 0) >= 0) return;
  storeWord(gate, asleep, 1);
  for (let seen = loadWord(gate, counter); ((seen - count) | 0) < 0; seen = loadWord(gate, counter)) {
    if ((seen & 1) === 0 && !tryCas(gate, counter, seen, seen | 1)) continue;
    Atomics.wait(i32, (gate + counter) >> 2, seen | 1, RECHECK_MS);
    if (stopRequested()) throw new RunStopped();
  }
  storeWord(gate, asleep, 0);
}

/** Does one of the two sleep at the gate? A racy look. */
export function sleepsAtGate(leader: boolean): boolean {
  return loadWord(gate, leader ? pairGate.leaderAsleep : pairGate.followerAsleep) !== 0;
}

/** The leader waits until the follower is ready for the next trial. */
export function awaitFollower(): void {
  awaitCount(pairGate.ready, ((loadWord(gate, pairGate.started) & ~1) + 2) | 0, pairGate.leaderAsleep);
}

/** The leader starts the trial that the follower is ready for. */
export function startTrial(): void {
  if (!countOn(pairGate.started)) return;
  if (hostIsBusy > 0) {
    hostIsBusy--;
    return;
  }
  for (let budget = AWAKE_SPINS; budget > 0; budget--) if (loadWord(gate, pairGate.followerAsleep) === 0) return;
  hostIsBusy = BUSY_WAKE_UPS;
}

/** The follower's part of the last trial is over: the leader may build the next. */
export function sayReady(): void {
  countOn(pairGate.ready);
}

/** The follower waits for the trial that it said to be ready for. */
export function awaitStart(): void {
  awaitCount(pairGate.started, loadWord(gate, pairGate.ready) & ~1, pairGate.followerAsleep);
}
