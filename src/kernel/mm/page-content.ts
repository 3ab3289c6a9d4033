/**
 * What stands in a page: its bytes, and KSM's ways to look at them (`memcmp_pages`, `calc_checksum` of mm/ksm.c, Linux 6.1). @notrace
 *
 * Most pages of an experiment hold one number and zeros, and nobody looks at them. So a page has no bytes of its own until
 * something other than zero is written behind its first eight, which stand in `struct page`. Equal content can stand in both forms;
 * a page never goes back to the short one, so its checksum changes only with its content.
 */
import { bootOptions } from '../../machine/boot.ts';
import { areZeroBytes, bytesAt, compareBytes, compareWords, copyBytes, hashBytes, writeBytes, zeroBytes } from '../../machine/bytes.ts';
import { get, set, setUlong } from '../../machine/door.ts';
import { type Field, type Ptr, struct, ulong, type Word, word, words } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { page } from '../include/mm_types.ts';
import { KMEM_CACHE, kmem_cache_alloc, kmem_cache_free } from './slab.ts';

type Page = Ptr<'page'>;

const setting = struct('page_content_setting', { bytes: word });
const chosen = staticStorage('page_content_setting', setting.SIZE);
const chosenBytes = chosen.address as Ptr<'page_content_setting'>;
if (chosen.fresh) set(chosenBytes, setting.bytes, bootOptions().pageBytes);

/** Bytes of content of every page: 4096, or fewer by choice of whoever made the arena. */
export const CONTENT_BYTES: number = get(chosenBytes, setting.bytes);
const HEAD_BYTES = 8;

const page_data = struct('page_data', { head: ulong, rest: words(CONTENT_BYTES / 4 - 2) }, 32);
const page_data_cachep = KMEM_CACHE(page_data);
/** A page of zeros to compare and hash. */
const zeros = staticStorage('zero_page_data', CONTENT_BYTES, 32).address;
/** Checksum of a page of zeros. */
export const zero_checksum: number = hashBytes(zeros, CONTENT_BYTES);

const LOW = page.content as number as Field<'page', Word>;
const HIGH = ((page.content as number) + 4) as Field<'page', Word>;

/** A fresh frame reads as zeros. */
export function clearContent(p: Page): void {
  set(p, page.data, 0);
  setUlong(p, page.content, 0);
}

/** The frame is freed. */
export function freeContent(p: Page): void {
  const data = get(p, page.data);
  if (data === 0) return;
  set(p, page.data, 0);
  kmem_cache_free(page_data_cachep, data as Ptr<'page_data'>);
}

/** Gives the page all its bytes. */
function materialise(p: Page): number {
  const data = kmem_cache_alloc(page_data_cachep);
  copyBytes(data, (p as number) + page.content, HEAD_BYTES);
  zeroBytes(data + HEAD_BYTES, CONTENT_BYTES - HEAD_BYTES);
  // Last: whoever looks meanwhile sees the short form or this one.
  set(p, page.data, data);
  return data;
}

/** Where `bytes` at `offset` are to be written. */
function writable(p: Page, offset: number, bytes: number): number {
  const data = get(p, page.data);
  if (data !== 0) return data + offset;
  return offset + bytes <= HEAD_BYTES ? (p as number) + page.content + offset : materialise(p) + offset;
}

/** Offset in the content of an offset in the page: with smaller contents the page repeats itself. */
function contentOffset(offset: number): number {
  return offset & (CONTENT_BYTES - 1);
}

/** Writes `bytes` at `offset` of the page. They end within the content. */
export function storeBytes(p: Page, offset: number, bytes: Uint8Array): void {
  const at = contentOffset(offset);
  const zero = get(p, page.data) === 0 && at >= HEAD_BYTES && bytes.every((byte) => byte === 0);
  if (!zero) writeBytes(writable(p, at, bytes.length), bytes);
}

/** Writes a number at the start of the page. */
export function storeNumber(p: Page, value: number): void {
  const data = get(p, page.data);
  if (data === 0) setUlong(p, page.content, value);
  else setUlong(data as Ptr<'page_data'>, page_data.head, value);
}

/** A copy of all bytes. */
export function loadBytes(p: Page): Uint8Array {
  const out = new Uint8Array(CONTENT_BYTES);
  const data = get(p, page.data);
  if (data !== 0) out.set(bytesAt(data, CONTENT_BYTES));
  else out.set(bytesAt((p as number) + page.content, HEAD_BYTES));
  return out;
}

/** Makes the fresh page `to` equal to `from`. */
export function copy_user_highpage(to: Page, from: Page): void {
  const data = get(from, page.data);
  if (data === 0) {
    set(to, LOW, get(from, LOW));
    set(to, HIGH, get(from, HIGH));
    return;
  }
  const copy = kmem_cache_alloc(page_data_cachep);
  copyBytes(copy, data, CONTENT_BYTES);
  set(to, page.data, copy);
}

function compareHeads(a: Page, b: Page): number {
  const [lowA, lowB] = [get(a, LOW), get(b, LOW)];
  if (lowA !== lowB) return compareWords(lowA, lowB);
  const [highA, highB] = [get(a, HIGH), get(b, HIGH)];
  return highA === highB ? 0 : compareWords(highA, highB);
}

/** Compares a page in the short form with `data`. */
function compareShort(p: Page, data: number): number {
  const head = compareBytes((p as number) + page.content, data, HEAD_BYTES);
  if (head !== 0) return head;
  return areZeroBytes(data + HEAD_BYTES, CONTENT_BYTES - HEAD_BYTES) ? 0 : -1;
}

/** Order of two pages by content: negative, 0 or positive. */
export function memcmp_pages(a: Page, b: Page): number {
  const dataA = get(a, page.data);
  const dataB = get(b, page.data);
  if (dataA !== 0) return dataB !== 0 ? compareBytes(dataA, dataB, CONTENT_BYTES) : -compareShort(b, dataA);
  return dataB !== 0 ? compareShort(a, dataB) : compareHeads(a, b);
}

/** Do two pages hold the same? */
export function pages_identical(a: Page, b: Page): boolean {
  return memcmp_pages(a, b) === 0;
}

/** A word that changes with the content: XXH64, cut, as in Linux; of the short form a product of its two words. */
export function calc_checksum(p: Page): number {
  const data = get(p, page.data);
  if (data !== 0) return hashBytes(data, CONTENT_BYTES);
  const low = get(p, LOW);
  const high = get(p, HIGH);
  if ((low | high) === 0) return zero_checksum;
  return Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) ^ (high >>> 15);
}
