/**
 * Reports of the heap checks, in the form of KASAN's (mm/kasan/report.c, Linux 6.1), and of leaked objects. Loaded with the
 * first user of the heap; does nothing unless heapCheck is on. @notrace
 */
import { get } from '../machine/door.ts';
import { HEAP_CHECK, type HeapFault, type HeapFinding, liveOwners, onHeapFinding, type Person } from '../machine/heap-check.ts';
import { currentFunction } from '../machine/shadow-stack.ts';
import { cacheBytes, cacheName } from '../machine/slab.ts';
import { current, get_task_comm, task_struct, taskOf } from './include/task_struct.ts';
import { dump_stack, lockdep_print_held_locks, pointerText, taskText } from './locking/lockdep/report-text.ts';
import { functionText } from './locking/lockdep/stack-trace.ts';
import { countReport, reportSlot, writeReport } from './printk.ts';
import { ledgerLines } from './ref-ledger.ts';

const RULE = '='.repeat(66);

/** What each fault is called in titles. */
const TITLES: Record<HeapFault, string> = {
  'use-after-free': 'use-after-free',
  'double-free': 'double-free',
  'out-of-bounds': 'slab-out-of-bounds',
  'uninitialised-read': 'use of memory never written',
};

/** `init/36 in mm_alloc`. */
function personText({ task, fn }: Person): string {
  const tsk = taskOf(task);
  return `${get_task_comm(tsk)}/${get(tsk, task_struct.pid)} in ${functionText(fn)}`;
}

/** Where an address lies, `offset` bytes behind the first of an object. */
function locationText(offset: number, bytes: number): string {
  return offset < bytes ? `${offset} bytes inside` : `${offset - bytes} bytes to the right`;
}

function report({ what, address, write, object, cache, allocated, freed }: HeapFinding): void {
  const where = functionText(currentFunction());
  const name = cacheName(cache);
  const key = `${what} of ${name} in ${where}`;
  const slot = reportSlot(`heap-${what}`, key);
  if (!countReport(slot)) return;
  const bytes = cacheBytes(cache);
  const lines = [
    RULE,
    `BUG: KASAN: ${TITLES[what]} in ${where}`,
    what === 'double-free'
      ? `Free of addr ${pointerText(address)} by task ${taskText(current())}`
      : `${write ? 'Write' : 'Read'} of size 4 at addr ${pointerText(address)} by task ${taskText(current())}`,
    '',
    ...dump_stack(),
    '',
    `Allocated by task ${personText(allocated)}`,
  ];
  if (freed !== undefined) lines.push('', `Freed by task ${personText(freed)}`);
  lines.push(
    '',
    `The buggy address belongs to the object at ${pointerText(object)}`,
    ` which belongs to the cache ${name} of size ${bytes}`,
    `The buggy address is located ${locationText(address - object, bytes)} of`,
    ` ${bytes}-byte region [${pointerText(object)}, ${pointerText(object + bytes)})`,
    '',
    ...ledgerLines(object),
    ...lockdep_print_held_locks(current()),
    RULE,
  );
  writeReport(slot, {
    kind: `heap-${what}`,
    title: `KASAN: ${TITLES[what]}`,
    key,
    lines,
    details: { cache: name, offset: address - object },
  });
}

if (HEAP_CHECK) onHeapFinding(report);

/**
 * Reports objects that should be gone, by cache and by who took them. Needs heapCheck for the latter.
 * @param baseline  live objects per cache before (slabInfo)
 * @param now  live objects per cache now
 * @returns true when there is a leak
 */
export function reportLeaks(baseline: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>): boolean {
  const leaked = Object.keys(now).filter((name) => (now[name] as number) > (baseline[name] ?? 0));
  if (leaked.length === 0) return false;
  const key = leaked.join(' ');
  const slot = reportSlot('leak', key);
  if (!countReport(slot)) return true;
  const lines: string[] = [];
  for (const name of leaked) {
    lines.push(`unreferenced objects: ${name}: ${now[name]} live, ${baseline[name] ?? 0} expected`);
    if (!HEAP_CHECK) continue;
    const byTaker = new Map<string, number>();
    for (const { cache, allocated } of liveOwners()) {
      if (cacheName(cache) === name) byTaker.set(personText(allocated), (byTaker.get(personText(allocated)) ?? 0) + 1);
    }
    for (const [taker, count] of byTaker) lines.push(`  ${count} allocated by ${taker}`);
  }
  writeReport(slot, { kind: 'leak', title: 'unreferenced objects', key, lines, details: { leaked } });
  return true;
}
