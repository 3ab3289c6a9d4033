/**
 * Aimed waits (delay mode `aimed`): a task waits at one of its scheduling points until its partner has passed so many of
 * its own. Counted in the partner's steps, a wait means the same on a quiet machine and on a busy one.
 *
 * Each task counts the points that it passes in a round. A wait ends when the partner's count is there, when the partner's
 * round is over, when the partner sleeps (perhaps because of us), or after a bound. When both wait for each other, the one
 * with the lower area goes on.
 */
import { i32 as arenaWords } from './memory.ts';
import { currentFunction } from './shadow-stack.ts';
import { AREA_POINTS, AREA_WAITING_ON, areaOf, currentArea } from './task-area.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** Per-task words, from AREA_POINTS on. The site to wait at (0: none), the partner's area, and how many points it must have passed. */
const AIM_SITE = 0;
const AIM_PARTNER = 1;
const AIM_UNTIL = 2;
/** Points passed in this round; {@link OVER} between rounds. */
const PASSED = 3;
/** Whether sites are noted, how many are, and the list of them. */
const WATCHING = 4;
const SITES_SEEN = 5;
/** Points passed in the round before. */
const PASSED_BEFORE = 6;
/** Stays 0: the word that a nap sleeps on. */
const NAP = 7;
/** 1 while the task waits for its partner. */
const WAITS = 8;
const SITES = 9;
const MAX_SITES = 100;

const OVER = 2 ** 30;
/** Loads before a nap (about 25 us), naps at most, and the length of one in ms: the host may have taken the partner's core away. */
const SPINS = 3000;
const NAPS = 8;
const NAP_MS = 0.1;

/** A place: the function and the kind of access. */
function siteNumber(fn: number, kind: number): number {
  return (fn << 4) | kind;
}

function wordsOf(index: number): number {
  return (areaOf(index) + AREA_POINTS) >> 2;
}

function noteSite(mine: number, site: number): void {
  const seen = i32[mine + SITES_SEEN] as number;
  const first = mine + SITES;
  if (seen === MAX_SITES || i32.subarray(first, first + seen).includes(site)) return;
  i32[first + seen] = site;
  i32[mine + SITES_SEEN] = seen + 1;
}

/** Waits for the partner; see the file's head. */
function awaitPartner(mine: number): void {
  Atomics.store(i32, mine + WAITS, 1);
  const area = i32[mine + AIM_PARTNER] as number;
  const theirs = (area + AREA_POINTS) >> 2;
  const until = i32[mine + AIM_UNTIL] as number;
  for (let budget = SPINS; budget > 0 && !mayGoOn(mine, theirs, until); budget--);
  for (let naps = NAPS; naps > 0 && !mayGoOn(mine, theirs, until); naps--) {
    if (Atomics.load(i32, (area + AREA_WAITING_ON) >> 2) !== 0) break;
    Atomics.wait(i32, mine + NAP, 0, NAP_MS);
  }
  Atomics.store(i32, mine + WAITS, 0);
}

function mayGoOn(mine: number, theirs: number, until: number): boolean {
  return Atomics.load(i32, theirs + PASSED) >= until || (mine < theirs && Atomics.load(i32, theirs + WAITS) !== 0);
}

/** A scheduling point of the current task. */
export function aimedPoint(kind: number): void {
  const mine = (currentArea() + AREA_POINTS) >> 2;
  const armed = i32[mine + AIM_SITE] as number;
  if (armed !== 0 || i32[mine + WATCHING] !== 0) {
    const site = siteNumber(currentFunction(), kind);
    if (i32[mine + WATCHING] !== 0) noteSite(mine, site);
    if (site === armed) {
      i32[mine + AIM_SITE] = 0;
      awaitPartner(mine);
    }
  }
  i32[mine + PASSED] = (i32[mine + PASSED] as number) + 1;
}

/** Opens a round of the current task. Both must do so before they meet at its start. */
export function openAimedRound(): void {
  Atomics.store(i32, ((currentArea() + AREA_POINTS) >> 2) + PASSED, 0);
}

/**
 * Where the current task is to wait in this round.
 * @param site  once, at the first point there; 0: nowhere
 * @param partner  task index
 * @param until  points that the partner must have passed
 * @param watch  note the sites that are passed
 */
export function aimRound(site: number, partner: number, until: number, watch: boolean): void {
  const mine = (currentArea() + AREA_POINTS) >> 2;
  i32[mine + AIM_SITE] = site;
  i32[mine + AIM_PARTNER] = areaOf(partner);
  i32[mine + AIM_UNTIL] = until;
  i32[mine + WATCHING] = watch ? 1 : 0;
  if (watch) i32[mine + SITES_SEEN] = 0;
}

/** Closes the round of the current task: whoever waits for it goes on. */
export function closeAimedRound(): void {
  const mine = (currentArea() + AREA_POINTS) >> 2;
  i32[mine + AIM_SITE] = 0;
  i32[mine + WATCHING] = 0;
  i32[mine + PASSED_BEFORE] = i32[mine + PASSED] as number;
  Atomics.store(i32, mine + PASSED, OVER);
}

/** The distinct sites in the list of task `index`. Exact once its round has ended and both have met. */
export function sitesSeen(index: number): number[] {
  const at = wordsOf(index);
  return [...i32.subarray(at + SITES, at + SITES + (i32[at + SITES_SEEN] as number))];
}

/** Points that task `index` passed in its last round. */
export function pointsPassed(index: number): number {
  return i32[wordsOf(index) + PASSED_BEFORE] as number;
}
