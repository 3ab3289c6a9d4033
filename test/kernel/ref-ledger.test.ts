/** Reference counts: the ledger names takers and droppers, impossible values are reported. */
import { beforeEach, expect, test } from 'vitest';
import { configureBoot } from '../../src/machine/boot.ts';

configureBoot({ refCheck: true });
const { set } = await import('../../src/machine/door.ts');
const { mm_alloc, mmdrop, mmput } = await import('../../src/kernel/fork.ts');
const { mm_struct } = await import('../../src/kernel/include/mm_types.ts');
const { mmget, mmgrab } = await import('../../src/kernel/include/sched-mm.ts');
const { ledgerLines } = await import('../../src/kernel/ref-ledger.ts');
const { clearReports, readReports } = await import('../../src/kernel/printk.ts');

beforeEach(() => clearReports());

test('every change is in the ledger, with the value after it', () => {
  const mm = mm_alloc();
  mmget(mm);
  mmgrab(mm);
  mmdrop(mm);
  mmput(mm);
  const changes = ledgerLines(mm)
    .slice(1)
    .map((line) => line.trim().split(' by ')[0]);
  expect(changes).toEqual(['mm_users +1 = 2', 'mm_count +1 = 2', 'mm_count -1 = 1', 'mm_users -1 = 1']);
  mmput(mm);
  expect(readReports()).toEqual([]);
});

test('a user of an address space that has none left', () => {
  const mm = mm_alloc();
  mmgrab(mm);
  mmput(mm);
  mmget(mm);
  expect(readReports().map((report) => report.title)).toEqual(['refcount_t: addition on 0; use-after-free.']);
  expect(readReports()[0]?.lines.join('\n')).toContain('mm_users -1 = 0 by ');
  set(mm, mm_struct.mm_users, 0);
  mmdrop(mm);
});

test('a count that was dropped too often', () => {
  const mm = mm_alloc();
  set(mm, mm_struct.mm_count, 0);
  expect(() => mmdrop(mm)).toThrow('mm_count');
  expect(readReports().map((report) => report.title)).toEqual(['refcount_t: underflow; use-after-free.']);
});
