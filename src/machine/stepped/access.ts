/**
 * Accesses of the stepped build: plain, because one thread plays all tasks; noted, so that a schedule can be undone;
 * and looked at by the checkers that are on.
 */
import { bootOptions } from '../boot.ts';
import { arenaBytes, i32 as arenaWords } from '../memory.ts';
import { checkHeap } from './heap.ts';
import { sawPlain } from './races.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

const boot = bootOptions();
const HEAP_CHECK = boot.heapCheck;
const RACES = boot.races;

/** Bytes that are undone together. */
const LINE_SHIFT = 6;
const LINE_WORDS = 1 << (LINE_SHIFT - 2);

const noted = new Uint8Array(arenaBytes >> LINE_SHIFT);
const lines = new Int32Array(arenaBytes >> LINE_SHIFT);
let lineCount = 0;
let saved = new Int32Array(0);

/** Lines as they were before a set-up wrote them: number and words of each. */
const originals: [line: number, words: Int32Array][] = [];
let settingUp = false;

function note(address: number): void {
  const line = address >>> LINE_SHIFT;
  if (noted[line] !== 0) return;
  noted[line] = 1;
  lines[lineCount++] = line;
  if (settingUp) keepOriginal(line, i32);
}

function keepOriginal(line: number, words: Int32Array): void {
  originals.push([line, words.slice(line * LINE_WORDS, (line + 1) * LINE_WORDS)]);
}

/** A set-up follows: undoes the one before, with all that came after it. What modules wrote when they were loaded stays. */
export function beginSetUp(): void {
  if (saved.length === 0) forgetNotes();
  else undoWrites();
  for (let last = originals.pop(); last !== undefined; last = originals.pop()) i32.set(last[1], last[0] * LINE_WORDS);
  settingUp = true;
}

/** The set-up is through: keeps the memory as it is now, for {@link undoWrites}. Copies the whole arena. */
export function saveMemory(): void {
  settingUp = false;
  saved = i32.slice();
  forgetNotes();
}

function forgetNotes(): void {
  for (let n = 0; n < lineCount; n++) noted[lines[n] as number] = 0;
  lineCount = 0;
}

/** Makes the lines written since {@link saveMemory} or the last {@link undoWrites} part of the saved memory, where `wanted` says so of their address. */
export function adoptWrites(wanted: (address: number) => boolean): void {
  for (let n = 0; n < lineCount; n++) {
    const start = (lines[n] as number) * LINE_WORDS;
    if (!wanted(start << 2)) continue;
    keepOriginal(lines[n] as number, saved);
    for (let at = start; at < start + LINE_WORDS; at++) saved[at] = i32[at] as number;
  }
}

/** Puts back every line that stepped code wrote since {@link saveMemory} or the last call. */
export function undoWrites(): void {
  for (let n = 0; n < lineCount; n++) {
    const line = lines[n] as number;
    noted[line] = 0;
    const start = line * LINE_WORDS;
    for (let at = start; at < start + LINE_WORDS; at++) i32[at] = saved[at] as number;
  }
  lineCount = 0;
}

/** Address of the first word outside `ignored` that differs from the saved memory, 0 when none does. For checking the above. */
export function firstDifference(ignored: (address: number) => boolean): number {
  for (let at = 0; at < i32.length; at++) if (i32[at] !== saved[at] && !ignored(at << 2)) return at << 2;
  return 0;
}

function read(address: number): void {
  if (HEAP_CHECK) checkHeap(address, false);
  if (RACES) sawPlain(address, false);
}

function write(address: number): void {
  if (HEAP_CHECK) checkHeap(address, true);
  if (RACES) sawPlain(address, true);
  note(address);
}

// The functions below are written into kernel code by the build (build/stepped/memory-access.ts). `index` counts elements of the
// view that the number names; they give it back, so that they can stand in the brackets.

/* biome-ignore-start lint/style/useNamingConvention: written by the build, never by hand */
export function __read32__(index: number): number {
  read(index << 2);
  return index;
}
export function __read64__(index: number): number {
  read(index << 3);
  return index;
}
export function __read8__(index: number): number {
  read(index);
  return index;
}
export function __write32__(index: number): number {
  write(index << 2);
  return index;
}
export function __write64__(index: number): number {
  write(index << 3);
  return index;
}
export function __write8__(index: number): number {
  write(index);
  return index;
}
export function __note32__(index: number): number {
  note(index << 2);
  return index;
}
export function __note64__(index: number): number {
  note(index << 3);
  return index;
}
export function __note8__(index: number): number {
  note(index);
  return index;
}

/** Begins an atomic write; gives the value before. */
function atomic(index: number): number {
  if (HEAP_CHECK) checkHeap(index << 2, true);
  note(index << 2);
  return i32[index] as number;
}
export function __fill__(v: number, from: number, to: number): void {
  for (let index = from; index < to; index++) {
    note(index << 2);
    i32[index] = v;
  }
}
export function __load__(index: number): number {
  if (HEAP_CHECK) checkHeap(index << 2, false);
  return i32[index] as number;
}
export function __store__(index: number, v: number): number {
  atomic(index);
  i32[index] = v;
  return v;
}
export function __add__(index: number, v: number): number {
  const was = atomic(index);
  i32[index] = was + v;
  return was;
}
export function __sub__(index: number, v: number): number {
  const was = atomic(index);
  i32[index] = was - v;
  return was;
}
export function __and__(index: number, v: number): number {
  const was = atomic(index);
  i32[index] = was & v;
  return was;
}
export function __or__(index: number, v: number): number {
  const was = atomic(index);
  i32[index] = was | v;
  return was;
}
export function __xor__(index: number, v: number): number {
  const was = atomic(index);
  i32[index] = was ^ v;
  return was;
}
export function __exchange__(index: number, v: number): number {
  const was = atomic(index);
  i32[index] = v;
  return was;
}
export function __compareExchange__(index: number, expected: number, v: number): number {
  const was = atomic(index);
  if (was === expected) i32[index] = v;
  return was;
}
/* biome-ignore-end lint/style/useNamingConvention: written by the build, never by hand */
