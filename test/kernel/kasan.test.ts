/** Heap checks: each fault is reported once, with who took and who freed; sound code gives none. */
import { beforeEach, expect, test } from 'vitest';
import { configureBoot } from '../../src/machine/boot.ts';

configureBoot({ heapCheck: true });
const { get, READ_ONCE, set } = await import('../../src/machine/door.ts');
const { struct, word } = await import('../../src/machine/layout.ts');
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
  const object = as('taker', () => kmem_cache_zalloc(cache, thing));
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
  const object = kmem_cache_zalloc(cache, thing);
  kmem_cache_free(cache, object);
  as('reader', () => READ_ONCE(object, thing.a));
  as('writer', () => set(object, thing.a, 1));
  expect(kinds()).toEqual(['heap-use-after-free', 'heap-use-after-free']);
});

test('a double free is reported and does no harm', () => {
  const before = slabInfo();
  const object = kmem_cache_zalloc(cache, thing);
  kmem_cache_free(cache, object);
  kmem_cache_free(cache, object);
  expect(kinds()).toEqual(['heap-double-free']);
  expect(slabInfo()).toEqual(before);
});

test('a freed object is kept back: the next one is another', () => {
  const object = kmem_cache_zalloc(cache, thing);
  kmem_cache_free(cache, object);
  expect(kmem_cache_zalloc(cache, thing)).not.toBe(object);
});

test('reading what nobody wrote, and reading beyond the end', () => {
  const object = kmem_cache_alloc(cache);
  as('reader', () => get(object, thing.b));
  set(object, thing.b, 5);
  as('second', () => get(object, thing.b));
  as('beyond', () => get(object, (thing.b + cache.bytes) as typeof thing.b));
  expect(kinds()).toEqual(['heap-uninitialised-read', 'heap-out-of-bounds']);
});

test('a leak names the taker', () => {
  const before = slabInfo();
  as('leaker', () => kmem_cache_zalloc(cache, thing));
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
