/** A thread of one boot mode that times the kernel's locks and the machine's door on request. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BootOptions, configureBoot } from '../../src/machine/boot.ts';
import type { LockLoopRequest } from '../lock-loops.ts';
import { nsOf } from '../ns-of.ts';

configureBoot({ arenaBytes: 32 << 20, ...(workerData as Partial<BootOptions>) });
const { DEFINE_SPINLOCK, spin_lock, spin_unlock } = await import('../../src/kernel/locking/spinlock.ts');
const { DEFINE_MUTEX, mutex_lock, mutex_unlock } = await import('../../src/kernel/locking/mutex.ts');
const { down_read, down_write, init_rwsem, rw_semaphore, up_read, up_write } = await import('../../src/kernel/locking/rwsem.ts');
const { staticKey } = await import('../../src/kernel/locking/lockdep/types.ts');
const { task_struct, current } = await import('../../src/kernel/include/task_struct.ts');
const { atomic_inc_return, READ_ONCE, WRITE_ONCE } = await import('../../src/machine/door.ts');
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

const operations: Record<string, () => unknown> = {
  spin: () => {
    spin_lock(spin);
    spin_unlock(spin);
  },
  mutex: () => {
    mutex_lock(outer);
    mutex_unlock(outer);
  },
  rdlock: () => {
    down_read(sem);
    up_read(sem);
  },
  wrlock: () => {
    down_write(sem);
    up_write(sem);
  },
  nested: () => {
    mutex_lock(outer);
    down_read(sem);
    spin_lock(spin);
    spin_unlock(spin);
    up_read(sem);
    mutex_unlock(outer);
  },
  load: () => READ_ONCE(task, task_struct.signal_pending),
  store: () => WRITE_ONCE(task, task_struct.signal_pending, 1),
  add: () => atomic_inc_return(task, task_struct.signal_pending),
  slab: () => slabFree(cache, slabAlloc(cache)),
};

parentPort?.on('message', async ({ name, milliseconds }: LockLoopRequest) => {
  parentPort?.postMessage(await nsOf(operations[name] as () => unknown, milliseconds));
});
