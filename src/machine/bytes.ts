/**
 * Runs of bytes in shared memory: compared, copied, filled and hashed at the speed of native code.
 *
 * They are for what users of the emulated machine keep in their pages. Such content is racy by nature, so nothing here is a
 * scheduling point; who needs a stable answer keeps writers away first. Writes are plain element writes, so that the stepped build
 * can note them. @notrace
 */
import xxhash from 'xxhash-wasm';
import { arena, u8 as arenaBytes8, i32 as arenaWords } from './memory.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;
const u8 = arenaBytes8;
const buffer = Buffer.from(arena);
const { h64Raw } = await xxhash();

/** Words that are compared here before native code is called (a call costs as much as 60 words). */
const FIRST_WORDS = 8;

function byteSwapped(v: number): number {
  return ((v << 24) | ((v & 0xff00) << 8) | ((v >>> 8) & 0xff00) | (v >>> 24)) >>> 0;
}

/** Order of two different words as memcmp sees their bytes. */
export function compareWords(a: number, b: number): number {
  return byteSwapped(a) < byteSwapped(b) ? -1 : 1;
}

/**
 * `memcmp`: negative, 0 or positive.
 * @param bytes  a multiple of 4
 */
export function compareBytes(a: number, b: number, bytes: number): number {
  const first = Math.min(FIRST_WORDS, bytes >> 2);
  for (let i = 0; i < first; i++) {
    const x = i32[(a >> 2) + i] as number;
    const y = i32[(b >> 2) + i] as number;
    if (x !== y) return compareWords(x, y);
  }
  const done = first * 4;
  return done === bytes ? 0 : buffer.compare(buffer, b + done, b + bytes, a + done, a + bytes);
}

/** Copies `bytes` (a multiple of 4) between two aligned places that do not overlap. Words, because doubles do not keep every NaN. */
export function copyBytes(to: number, from: number, bytes: number): void {
  const end = bytes >> 2;
  for (let i = 0; i < end; i++) i32[(to >> 2) + i] = i32[(from >> 2) + i] as number;
}

/** Fills `bytes` (a multiple of 4) with zeros. */
export function zeroBytes(at: number, bytes: number): void {
  i32.fill(0, at >> 2, (at + bytes) >> 2);
}

/** Writes bytes. */
export function writeBytes(at: number, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) u8[at + i] = bytes[i] as number;
}

/** Are `bytes` (a multiple of 4) all zero? */
export function areZeroBytes(at: number, bytes: number): boolean {
  for (let i = at >> 2; i < (at + bytes) >> 2; i++) if (i32[i] !== 0) return false;
  return true;
}

/** A view of `bytes` of the memory, for reading. */
export function bytesAt(at: number, bytes: number): Uint8Array {
  return u8.subarray(at, at + bytes);
}

/** XXH64 with seed 0, its low 32 bits as a signed word. */
export function hashBytes(at: number, bytes: number): number {
  return Number(BigInt.asIntN(32, h64Raw(u8.subarray(at, at + bytes), 0n)));
}
