/**
 * The gate of a pair: a barrier of two threads in shared memory, and the words that the leader sets for the round.
 *
 * Each side counts the gates that it came to in a word of its own and waits until the other's has the same count.
 * It spins for a bounded time, then sleeps in Atomics.wait and has said so in `asleep` before it looked once more: so
 * either it sees the other's new count, or the other sees `asleep` and wakes it. (Both words are sequentially consistent.)
 */
import { RunStopped } from '../../machine/errors.ts';
import { type Field, type Ptr, struct, type Word, word, words } from '../../machine/layout.ts';
import { loadWord, storeWord } from '../../machine/lockword.ts';
import { i32 as arenaWords, staticStorage } from '../../machine/memory.ts';
import { spinBudget, stopRequested, wakeWord } from '../../machine/wait.ts';

const i32 = arenaWords;

/** A sleeper looks again after this long: a lost wake-up or a dead partner costs time, never the run. */
const RECHECK_MS = 50;

/**
 * Whoever finds the other side asleep wakes it and waits until it is awake, so that both start together; for so many
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
    leaderCame: word,
    leaderAsleep: word,
    // Written by the leader before the gate, read by the follower after it.
    /** 0: a trial follows; 1: it was the last. */
    over: word,
    /** Where the follower is to wait in this trial (see machine/aimed.ts), and for how many points of the leader. */
    followerSite: word,
    followerUntil: word,
    /** The follower is to note the sites that it passes. */
    followerWatches: word,
    pad0: words(10),
    followerCame: word,
    followerAsleep: word,
    pad1: words(14),
  },
  64,
);

type Gate = Ptr<'lab_pair_gate'>;
type GateWord = Field<'lab_pair_gate', Word>;

/** The one gate of this world. */
export const gate: Gate = staticStorage('lab_pair_gate', pairGate.SIZE, 64).address as Gate;

/** Waits until the other side, just woken, is awake. */
function awaitAwake(otherAsleep: GateWord): void {
  if (hostIsBusy > 0) {
    hostIsBusy--;
    return;
  }
  for (let budget = AWAKE_SPINS; budget > 0; budget--) if (loadWord(gate, otherAsleep) === 0) return;
  hostIsBusy = BUSY_WAKE_UPS;
}

/** Waits until the other side has come as often; see the file's head. @throws RunStopped */
function pass(mine: GateWord, asleep: GateWord, other: GateWord, otherAsleep: GateWord): void {
  const round = (loadWord(gate, mine) + 1) | 0;
  storeWord(gate, mine, round);
  if (loadWord(gate, otherAsleep) !== 0) {
    wakeWord(gate, mine);
    awaitAwake(otherAsleep);
  }
  for (let budget = spinBudget(); budget > 0; budget--) if (((loadWord(gate, other) - round) | 0) >= 0) return;
  storeWord(gate, asleep, 1);
  for (let seen = loadWord(gate, other); ((seen - round) | 0) < 0; seen = loadWord(gate, other)) {
    Atomics.wait(i32, (gate + other) >> 2, seen, RECHECK_MS);
    if (stopRequested()) throw new RunStopped();
  }
  storeWord(gate, asleep, 0);
}

/** Does one of the two sleep at the gate? A racy look. */
export function sleepsAtGate(leader: boolean): boolean {
  return loadWord(gate, leader ? pairGate.leaderAsleep : pairGate.followerAsleep) !== 0;
}

/** The leader comes to the gate; returns when the follower is there too. */
export function leaderPass(): void {
  pass(pairGate.leaderCame, pairGate.leaderAsleep, pairGate.followerCame, pairGate.followerAsleep);
}

/** The follower comes to the gate; returns when the leader is there too. */
export function followerPass(): void {
  pass(pairGate.followerCame, pairGate.followerAsleep, pairGate.leaderCame, pairGate.leaderAsleep);
}
