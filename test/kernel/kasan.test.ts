/** Heap checks: each fault is reported once, with who took and who freed; sound code gives none. */
import { beforeEach, expect, test } from 'vitest';
import { configureBoot } from '../../src/machine/boot.ts';
import type { Ptr } from '../../src/machine/layout.ts';

configureBoot({ heapCheck: true });
const { get, getUlong, READ_ONCE, set, setUlong } = await import('../../src/machine/door.ts');
const { struct, ulong, word } = await import('../../src/machine/layout.ts');
const { __fentry__, __fexit__, registerFunction } = await import('../../src/machine/shadow-stack.ts');
const { slabInfo } = await import('../../src/machine/slab.ts');
const { KMEM_CACHE, kmem_cache_alloc, kmem_cache_free, kmem_cache_zalloc } = await import('../../src/kernel/mm/slab.ts');
const { reportLeaks } = await import('../../src/kernel/kasan.ts');
const { hungTaskLines } = await import('../../src/kernel/hung_task.ts');
const { clearReports, readReports } = await import('../../src/kernel/printk.ts');
const { current, set_task_comm, task_struct } = await import('../../src/kernel/include/task_struct.ts');
const { DEFINE_MUTEX, mutex_lock, mutex_unlock } = await import('../../src/kernel/locking/mutex.ts');
const { mm_alloc, mmput } = await import('../../src/kernel/fork.ts');
const { PAGE_SIZE, VM_READ, VM_WRITE } = await import('../../src/kernel/include/mm_types.ts');
const { MADV_MERGEABLE, run_store } = await import('../../src/kernel/mm/ksm.ts');
const { do_madvise } = await import('../../src/kernel/mm/madvise.ts');
const { do_user_addr_fault } = await import('../../src/kernel/mm/memory.ts');
const { vm_mmap } = await import('../../src/kernel/mm/mmap.ts');

const thing = struct('test_thing', { a: word, b: word, c: word, d: word, e: word, f: word, g: word, h: word, last: word });
const cache = KMEM_CACHE(thing);
const number = struct('test_number', { first: ulong, second: ulong });
const longs = KMEM_CACHE(number);

function as<T>(name: string, body: () => T): T {
  __fentry__(registerFunction(name, 'test', 1));
  const value = body();
  __fexit__(undefined);
  return value;
}

beforeEach(() => {
  clearReports();
  set_task_comm(current(), 'init');
  set(current(), task_struct.pid, 7);
});

const kinds = () => readReports().map((report) => report.kind);

test('a use after free names who took, who freed and who used', () => {
  const object = as('taker', () => kmem_cache_zalloc(cache));
  as('freer', () => kmem_cache_free(cache, object));
  as('user', () => get(object, thing.last));
  as('user', () => get(object, thing.last));
  const [report] = readReports();
  expect([report?.kind, report?.count]).toEqual(['heap-use-after-free', 2]);
  const text = report?.lines.join('\n') ?? '';
  expect(text).toContain('BUG: KASAN: use-after-free in user');
  expect(text).toContain('Allocated by task init/7 in taker');
  expect(text).toContain('Freed by task init/7 in freer');
  expect(text).toContain('cache test_thing of size 64');
});

test('racy reads and writes are looked at too', () => {
  const object = kmem_cache_zalloc(cache);
  kmem_cache_free(cache, object);
  as('reader', () => READ_ONCE(object, thing.a));
  as('writer', () => set(object, thing.a, 1));
  expect(kinds()).toEqual(['heap-use-after-free', 'heap-use-after-free']);
});

test('a double free is reported and does no harm', () => {
  const before = slabInfo();
  const object = kmem_cache_zalloc(cache);
  kmem_cache_free(cache, object);
  kmem_cache_free(cache, object);
  expect(kinds()).toEqual(['heap-double-free']);
  expect(slabInfo()).toEqual(before);
});

test('a freed object is kept back: the next one is another', () => {
  const object = kmem_cache_zalloc(cache);
  kmem_cache_free(cache, object);
  expect(kmem_cache_zalloc(cache)).not.toBe(object);
});

test('reading what nobody wrote, and reading beyond the end', () => {
  const object = kmem_cache_alloc(cache);
  as('reader', () => get(object, thing.b));
  set(object, thing.b, 5);
  as('second', () => get(object, thing.b));
  as('beyond', () => get(object, (thing.b + cache.bytes) as typeof thing.b));
  expect(kinds()).toEqual(['heap-uninitialised-read', 'heap-out-of-bounds']);
  expect(readReports()[1]?.lines).toContain(`The buggy address is located ${thing.b} bytes to the right of`);
});

test('leaving an object is seen however far, and from an inner struct too', () => {
  const [first, second] = [kmem_cache_zalloc(cache), kmem_cache_zalloc(cache)];
  const [low, high] = first < second ? [first, second] : [second, first];
  const across = high - low;
  as('far', () => set(low, (across + thing.a) as typeof thing.a, 1));
  as('inner', () => READ_ONCE((low + thing.last) as typeof low, (cache.bytes - thing.last) as typeof thing.a));
  as('within', () => READ_ONCE((low + thing.b) as typeof low, (thing.last - thing.b) as typeof thing.a));
  expect(readReports().map(({ key }) => key)).toEqual([
    'out-of-bounds of test_thing in far+test',
    'out-of-bounds of test_thing in inner+test',
  ]);
  expect(readReports()[1]?.lines).toContain('The buggy address is located 0 bytes to the right of');
});

test('an unsigned long that nobody wrote', () => {
  const object = kmem_cache_alloc(longs);
  setUlong(object, number.second, 2 ** 40);
  as('reader', () => getUlong(object, number.second));
  as('reader', () => getUlong(object, number.first));
  expect(readReports().map(({ key }) => key)).toEqual(['uninitialised-read of test_number in reader+test']);
});

test('the smallest object too knows who took and who freed it', () => {
  const neighbours = [kmem_cache_alloc(longs), kmem_cache_alloc(longs), kmem_cache_alloc(longs)];
  const object = neighbours[1] as Ptr<'test_number'>;
  as('freer', () => kmem_cache_free(longs, object));
  as('other', () => kmem_cache_alloc(longs));
  as('user', () => getUlong(object, number.first));
  const text = readReports()[0]?.lines.join('\n') ?? '';
  expect(text).toContain('Freed by task init/7 in freer');
});

test('a leak names the taker', () => {
  const before = slabInfo();
  as('leaker', () => kmem_cache_zalloc(cache));
  expect(reportLeaks(before, slabInfo())).toBe(true);
  expect(readReports()[0]?.lines.join('\n')).toContain('1 allocated by init/7 in leaker');
  expect(reportLeaks(slabInfo(), slabInfo())).toBe(false);
});

test('the life of a process gives no finding', () => {
  const before = slabInfo();
  for (let round = 0; round < 20; round++) {
    const mm = mm_alloc();
    for (let i = 0; i < 11; i++) {
      const start = (16 + 4 * i) * PAGE_SIZE;
      vm_mmap(mm, start, 2 * PAGE_SIZE, VM_READ | VM_WRITE);
      do_user_addr_fault(mm, start, i);
      do_madvise(mm, start, 2 * PAGE_SIZE, MADV_MERGEABLE);
    }
    run_store(round % 2 === 0 ? '2' : '1');
    mmput(mm);
    run_store('0');
  }
  run_store('2');
  run_store('0');
  expect(kinds().filter((kind) => kind.startsWith('heap'))).toEqual([]);
  expect(reportLeaks(before, slabInfo())).toBe(false);
});

test('a hung task is shown with its stack and its locks', () => {
  const lock = DEFINE_MUTEX('held_by_the_hung_one');
  as('mmap_wait', () => {
    mutex_lock(lock);
    const text = hungTaskLines([0], 10).join('\n');
    expect(text).toContain('INFO: task init:7 blocked for more than 10 seconds.');
    expect(text).toContain(' mmap_wait+test');
    expect(text).toContain('(held_by_the_hung_one)');
    mutex_unlock(lock);
  });
});
