/**
 * Texts that all threads share: names of locks and tasks, places in the source. A text's number is the arena address of its
 * entry (hash, bytes, UTF-8), so whoever has the number can read it without having loaded the module that wrote it.
 */
import { u8 as arenaBytes8, i32 as arenaWords, hashText, sbrk, staticStorage } from './memory.ts';
import { shortLock, shortUnlock } from './short-lock.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;
const u8 = arenaBytes8;

/** Buckets of the hash table; each is a chain, so there is no limit but the memory. */
const BUCKETS = 4096;
const TEXT_NEXT = 0;
const TEXT_HASH = 4;
const TEXT_LENGTH = 8;
const TEXT_BYTES = 12;

const table = staticStorage('texts', BUCKETS * 4).address;
const lock = staticStorage('texts_lock', 64).address;

const known = new Map<string, number>();
const texts = new Map<number, string>();

/** The number of a text; the same in every thread. */
export function textNumber(text: string): number {
  const have = known.get(text);
  if (have !== undefined) return have;
  const hash = hashText(text);
  const bucket = (table >> 2) + ((hash >>> 0) % BUCKETS);
  shortLock(lock);
  try {
    let at = i32[bucket] as number;
    while (at !== 0 && !(i32[(at + TEXT_HASH) >> 2] === hash && readText(at) === text)) at = i32[(at + TEXT_NEXT) >> 2] as number;
    if (at === 0) {
      const bytes = new TextEncoder().encode(text);
      at = sbrk(TEXT_BYTES + bytes.length, 4, 'a name');
      i32[(at + TEXT_HASH) >> 2] = hash;
      i32[(at + TEXT_LENGTH) >> 2] = bytes.length;
      u8.set(bytes, at + TEXT_BYTES);
      i32[(at + TEXT_NEXT) >> 2] = i32[bucket] as number;
      i32[bucket] = at;
    }
    known.set(text, at);
    return at;
  } finally {
    shortUnlock(lock);
  }
}

function readText(at: number): string {
  return new TextDecoder().decode(u8.slice(at + TEXT_BYTES, at + TEXT_BYTES + (i32[(at + TEXT_LENGTH) >> 2] as number)));
}

/** The text behind a number. */
export function textOf(number: number): string {
  let text = texts.get(number);
  if (text === undefined) {
    text = number === 0 ? '' : readText(number);
    texts.set(number, text);
  }
  return text;
}
