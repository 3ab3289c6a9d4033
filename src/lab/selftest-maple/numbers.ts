/** How vector files write indices and entries, and how the tree has them. */
import { ULONG_MAX } from '../../kernel/include/mm_types.ts';
import { XA_ZERO_ENTRY } from '../../kernel/lib/maple-tree/normal-api.ts';

/** Negative indices count from the top: -1 is the top, -11 is ten below. */
export function indexOf(written: number): number {
  return written < 0 ? ULONG_MAX + 1 + written : written;
}

/** The inverse: what is above the middle of the index space is written as a distance from the top. */
export function writeIndex(index: number): number {
  return index > 2 ** 52 ? index - ULONG_MAX - 1 : index;
}

/** Entry numbers become value entries as the kernel's tests store them (odd numbers); -1 is the zero entry, 0 is NULL. */
export function entryOf(written: number): number {
  if (written === -1) return XA_ZERO_ENTRY;
  return written === 0 ? 0 : written * 2 + 1;
}

/** The inverse. */
export function writeEntry(entry: number): number {
  if (entry === XA_ZERO_ENTRY) return -1;
  return entry === 0 ? 0 : (entry - 1) / 2;
}

/** Largest entry number that fits a slot. */
export const MAX_ENTRY = 2 ** 30 - 1;

/** FNV-1a, 32 bits, over ASCII text; goes on from `seed`. */
export function fnv1a(text: string, seed = 0x811c9dc5): number {
  let h = seed;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** A digest as the files write it. */
export function writeDigest(h: number): string {
  return (h >>> 0).toString(16).padStart(8, '0');
}
