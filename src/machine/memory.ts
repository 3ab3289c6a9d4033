/**
 * One SharedArrayBuffer is the physical memory of the emulated machine.
 *
 * Layout, by byte address:
 * ```
 *      0   header (one word each, see H_*)
 *   4096   symbol table: name hash -> address; struct layouts are checked through it as well
 *  69632   static region and heap: one bump pointer (H_BRK); slabs take chunks from it
 * ```
 * An address is a byte offset into the buffer. 0 is NULL; nothing lives below the header's end.
 */
import { bootOptions } from './boot.ts';
import { ArenaExhausted, EmulatorBug, LayoutMismatch } from './errors.ts';

const MAGIC = 0x4b534d52;
const H_MAGIC = 0;
const H_BRK = 4;
const H_SYMBOL_LOCK = 8;
const H_SYMBOLS = 12;
/** Byte address of the word that tells every waiting task to give up (see wait.ts). */
export const H_STOP = 64;
/** Byte address of the number of tasks that live now: spinning pays only while they fit the cores. */
export const H_LIVE_TASKS = 128;

const SYMBOL_TABLE = 4096;
const SYMBOL_BYTES = 32;
const SYMBOL_SLOTS = 2048;
const HEAP_START = SYMBOL_TABLE + SYMBOL_BYTES * SYMBOL_SLOTS;

const boot = bootOptions();

/** The buffer itself, to hand to further workers. */
export const arena: SharedArrayBuffer = boot.arena ?? new SharedArrayBuffer(boot.arenaBytes);
/** Its size in bytes. */
export const arenaBytes: number = arena.byteLength;
/** The memory as 32-bit words: index = address >> 2. */
export const i32: Int32Array = new Int32Array(arena);
/** The memory as doubles ("unsigned long"): index = address >> 3. */
export const f64: Float64Array = new Float64Array(arena);
/** The memory as bytes. */
export const u8: Uint8Array = new Uint8Array(arena);
/** True in the thread that made the arena. */
export const createdHere: boolean = boot.arena === undefined;

if (createdHere) {
  i32[H_BRK >> 2] = HEAP_START;
  Atomics.store(i32, H_MAGIC >> 2, MAGIC);
} else if (Atomics.load(i32, H_MAGIC >> 2) !== MAGIC) {
  throw new LayoutMismatch('the memory handed to this worker was not set up by ksmrace');
}

/**
 * Takes `bytes` of fresh, zeroed memory, never given back.
 * @param what  names the taker in the error
 * @throws ArenaExhausted
 */
export function sbrk(bytes: number, align: number, what: string): number {
  for (;;) {
    const seen = Atomics.load(i32, H_BRK >> 2);
    const start = Math.ceil(seen / align) * align;
    if (start + bytes > arenaBytes) throw new ArenaExhausted(what, bytes, arenaBytes);
    if (Atomics.compareExchange(i32, H_BRK >> 2, seen, start + bytes) === seen) return start;
  }
}

/** Bytes not yet taken by {@link sbrk}. */
export function freeBytes(): number {
  return arenaBytes - Atomics.load(i32, H_BRK >> 2);
}

/** FNV-1a over UTF-16 units, 32 bits, never 0. */
export function hashText(text: string, seed = 0x811c9dc5): number {
  let h = seed;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h | 0 || 1;
}

function lockSymbols(): void {
  while (Atomics.compareExchange(i32, H_SYMBOL_LOCK >> 2, 0, 1) !== 0) Atomics.wait(i32, H_SYMBOL_LOCK >> 2, 1, 10);
}

function unlockSymbols(): void {
  Atomics.store(i32, H_SYMBOL_LOCK >> 2, 0);
  Atomics.notify(i32, H_SYMBOL_LOCK >> 2);
}

/** One entry of the symbol table. */
interface SymbolEntry {
  /** What the first to ask stored: an address or a hash. */
  value: number;
  /** True for the first to ask. */
  fresh: boolean;
}

/**
 * Looks `name` up in the table that all threads share; the first to ask decides the value.
 * @param make  gives the value; called at most once over all threads
 */
function symbol(name: string, make: () => number): SymbolEntry {
  const h1 = hashText(name);
  const h2 = hashText(name, 0x1234567);
  lockSymbols();
  try {
    for (let probe = 0; probe < SYMBOL_SLOTS; probe++) {
      const slot = (SYMBOL_TABLE + (((h1 >>> 0) + probe) % SYMBOL_SLOTS) * SYMBOL_BYTES) >> 2;
      if (i32[slot] === h1 && i32[slot + 1] === h2) return { value: i32[slot + 2] as number, fresh: false };
      if (i32[slot] === 0) {
        const value = make();
        i32[slot + 1] = h2;
        i32[slot + 2] = value;
        i32[slot] = h1;
        i32[H_SYMBOLS >> 2] = (i32[H_SYMBOLS >> 2] as number) + 1;
        return { value, fresh: true };
      }
    }
  } finally {
    unlockSymbols();
  }
  throw new EmulatorBug(`the symbol table is full (${SYMBOL_SLOTS} names), no room for ${name}`);
}

/**
 * A variable of static storage: the same name has the same address in every thread.
 * @returns its address, and whether this call made it (then it is zeroed and the caller initialises it)
 */
export function staticStorage(name: string, bytes: number, align = 64): { address: number; fresh: boolean } {
  const { value, fresh } = symbol(`var:${name}`, () => sbrk(bytes, align, name));
  return { address: value, fresh };
}

/** A small number for a name, the same in every thread (1, 2, 3, ... per `space`). */
export function internName(space: string, name: string): number {
  const counter = staticStorage(`names:${space}`, 64).address;
  return symbol(`name:${space}:${name}`, () => Atomics.add(i32, counter >> 2, 1) + 1).value;
}

/**
 * Compares a struct's layout with the one that other threads use under the same name.
 * @throws LayoutMismatch
 */
export function checkLayout(name: string, layoutHash: number): void {
  const { value } = symbol(`struct:${name}`, () => layoutHash);
  if (value !== layoutHash) {
    throw new LayoutMismatch(`struct ${name} has another layout in the shared memory than in this thread: rebuild, then start again`);
  }
}
