/** A thread of one boot mode that times the kernel's locks and the machine's door, on request. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BootOptions, configureBoot } from '../../src/machine/boot.ts';

configureBoot({ arenaBytes: 32 << 20, ...(workerData as Partial<BootOptions>) });
const { DEFINE_SPINLOCK, spin_lock, spin_unlock } = await import('../../src/kernel/locking/spinlock.ts');
const { DEFINE_MUTEX, mutex_lock, mutex_unlock } = await import('../../src/kernel/locking/mutex.ts');
const { down_read, down_write, init_rwsem, rw_semaphore, up_read, up_write } = await import('../../src/kernel/locking/rwsem.ts');
const { staticKey } = await import('../../src/kernel/locking/lockdep/types.ts');
const { task_struct, current } = await import('../../src/kernel/include/task_struct.ts');
const { atomic_inc_return, get, READ_ONCE, WRITE_ONCE } = await import('../../src/machine/door.ts');
const { staticStorage } = await import('../../src/machine/memory.ts');
const { slabAlloc, slabCache, slabFree } = await import('../../src/machine/slab.ts');
const { word, struct, words } = await import('../../src/machine/layout.ts');

const spin = DEFINE_SPINLOCK('bench_spin');
const outer = DEFINE_MUTEX('bench_mutex');
const sem = staticStorage('bench_rwsem', rw_semaphore.SIZE).address as Parameters<typeof init_rwsem>[0];
init_rwsem(sem, 'bench_rwsem', staticKey('bench_rwsem'));
const thing = struct('bench_thing', { first: word, rest: words(15) });
const cache = slabCache(thing);
const task = current();

/** Every loop does `count` operations of its own: call sites with types of their own, as in the kernel. */
const loops: Record<string, (count: number) => number> = {
  spin: (count) => {
    for (let i = 0; i < count; i++) {
      spin_lock(spin);
      spin_unlock(spin);
    }
    return 0;
  },
  mutex: (count) => {
    for (let i = 0; i < count; i++) {
      mutex_lock(outer);
      mutex_unlock(outer);
    }
    return 0;
  },
  rdlock: (count) => {
    for (let i = 0; i < count; i++) {
      down_read(sem);
      up_read(sem);
    }
    return 0;
  },
  wrlock: (count) => {
    for (let i = 0; i < count; i++) {
      down_write(sem);
      up_write(sem);
    }
    return 0;
  },
  nested: (count) => {
    for (let i = 0; i < count; i++) {
      mutex_lock(outer);
      down_read(sem);
      spin_lock(spin);
      spin_unlock(spin);
      up_read(sem);
      mutex_unlock(outer);
    }
    return 0;
  },
  load: (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += READ_ONCE(task, task_struct.signal_pending);
    return sum;
  },
  store: (count) => {
    for (let i = 0; i < count; i++) WRITE_ONCE(task, task_struct.signal_pending, i);
    return 0;
  },
  add: (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += atomic_inc_return(task, task_struct.signal_pending);
    return sum;
  },
  get: (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += get(task, task_struct.pid);
    return sum;
  },
  slab: (count) => {
    for (let i = 0; i < count; i++) slabFree(cache, slabAlloc(cache));
    return 0;
  },
};

parentPort?.on('message', ({ name, count }: { name: string; count: number }) => {
  const loop = loops[name] as (count: number) => number;
  const start = process.hrtime.bigint();
  loop(count);
  parentPort?.postMessage(Number(process.hrtime.bigint() - start) / count);
});
