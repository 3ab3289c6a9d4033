/**
 * The ledger of references (boot option refCheck): who took and who dropped each count of an address space, and the
 * checks of refcount_t (lib/refcount.c, Linux 6.1): an increment from zero, an underflow, saturation. Costs nothing when off.
 * @notrace
 */
import { bootOptions } from '../machine/boot.ts';
import type { Ptr } from '../machine/layout.ts';
import { i32 as arenaWords, staticStorage } from '../machine/memory.ts';
import { get } from '../machine/plain.ts';
import { currentFunction } from '../machine/shadow-stack.ts';
import { AREA_INDEX, currentArea } from '../machine/task-area.ts';
import { get_task_comm, task_struct, taskOf } from './include/task_struct.ts';
import { dump_stack, pointerText } from './locking/lockdep/report-text.ts';
import { functionText } from './locking/lockdep/stack-trace.ts';
import { countReport, reportSlot, writeReport } from './printk.ts';
import { OBJECT_NAMES } from './trace/vocabulary.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

export const REF_CHECK: boolean = bootOptions().refCheck;

/** Entries kept per object, a power of two, and objects that have a page of their own; further ones share by address. */
const ENTRIES = 32;
const PAGES = 1024;
/** Words of a page: address, entries written; then per entry: task and kind, function, change, value after. */
const PAGE_WORDS = 4 + ENTRIES * 4;
/** A count beyond this has run away, as REFCOUNT_SATURATED in Linux. */
export const REFCOUNT_MAX = 0x3fffffff;

const pages = REF_CHECK ? staticStorage('ref_ledger', PAGES * PAGE_WORDS * 4, 64).address >> 2 : 0;

function pageOf(address: number): number {
  return pages + ((address >>> 6) % PAGES) * PAGE_WORDS;
}

/** A new object begins with an empty page. */
export function openLedger(address: number): void {
  const page = pageOf(address);
  i32[page] = address;
  i32[page + 1] = 0;
}

/**
 * Notes that the current task changed a count, and checks the value.
 * @param kind  OBJ_* of the count
 * @param value  the count after the step
 */
export function noteReference(kind: number, address: number, change: number, value: number): void {
  const page = pageOf(address);
  // Each change gets an entry of its own: no lock, which all tasks would fight for. A reader beside a writer may see half an entry.
  const entry = page + 4 + (Atomics.add(i32, page + 1, 1) & (ENTRIES - 1)) * 4;
  i32[entry] = ((i32[(currentArea() + AREA_INDEX) >> 2] as number) << 8) | kind;
  i32[entry + 1] = currentFunction();
  i32[entry + 2] = change;
  i32[entry + 3] = value;
  if (change > 0 && value <= change) refcount_warn_saturate('addition on 0; use-after-free.', kind, address);
  else if (value < 0) refcount_warn_saturate('underflow; use-after-free.', kind, address);
  else if (value > REFCOUNT_MAX) refcount_warn_saturate('saturated; leaking memory.', kind, address);
}

/** The ledger of an object, oldest entry first. Empty when there is none. */
export function ledgerLines(address: number): string[] {
  if (!REF_CHECK || i32[pageOf(address)] !== address) return [];
  const page = pageOf(address);
  const written = i32[page + 1] as number;
  const lines = [`References of ${pointerText(address)}, the last ${Math.min(written, ENTRIES)} of ${written} changes:`];
  for (let n = Math.max(0, written - ENTRIES); n < written; n++) {
    const entry = page + 4 + (n % ENTRIES) * 4;
    const who = i32[entry] as number;
    const task = taskOf(who >>> 8) as Ptr<'task_struct'>;
    const change = i32[entry + 2] as number;
    const count = `${OBJECT_NAMES[who & 0xff]} ${change > 0 ? '+' : ''}${change} = ${i32[entry + 3]}`;
    lines.push(`  ${count} by ${get_task_comm(task)}/${get(task, task_struct.pid)} in ${functionText(i32[entry + 1] as number)}`);
  }
  return lines;
}

/** Reports a count that cannot be right. */
function refcount_warn_saturate(what: string, kind: number, address: number): void {
  const where = functionText(currentFunction());
  const key = `${OBJECT_NAMES[kind]} ${what} in ${where}`;
  const slot = reportSlot('refcount', key);
  if (!countReport(slot)) return;
  writeReport(slot, {
    kind: 'refcount',
    title: `refcount_t: ${what}`,
    key,
    lines: [
      '------------[ cut here ]------------',
      `refcount_t: ${what}`,
      `WARNING: ${OBJECT_NAMES[kind]} at ${where}`,
      ...dump_stack(),
      ...ledgerLines(address),
      '---[ end trace 0000000000000000 ]---',
    ],
    details: { count: OBJECT_NAMES[kind] },
  });
}
