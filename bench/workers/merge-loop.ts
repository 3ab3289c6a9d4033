/** A thread of one boot mode that times what merging costs: scans, sharing, breaking apart. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BootOptions, configureBoot } from '../../src/machine/boot.ts';

configureBoot({ arenaBytes: 256 << 20, task: 0, ...(workerData as Partial<BootOptions>) });
const { mm_alloc, mmput } = await import('../../src/kernel/fork.ts');
const { PAGE_SIZE, VM_READ, VM_WRITE } = await import('../../src/kernel/include/mm_types.ts');
const { mutex_lock, mutex_unlock } = await import('../../src/kernel/locking/mutex.ts');
const { MADV_MERGEABLE, run_store } = await import('../../src/kernel/mm/ksm.ts');
const { ksm_do_scan } = await import('../../src/kernel/mm/ksm-scan.ts');
const { ksm_sysfs_store } = await import('../../src/kernel/mm/ksm-sysfs.ts');
const { ksm_thread_mutex } = await import('../../src/kernel/mm/ksm-types.ts');
const { set_ksm_variant } = await import('../../src/kernel/mm/ksm-variants.ts');
const { do_madvise } = await import('../../src/kernel/mm/madvise.ts');
const { vm_mmap } = await import('../../src/kernel/mm/mmap.ts');
const { userStoreBytes } = await import('../../src/kernel/mm/user-access.ts');

const BASE = 2 ** 32;
const PAGES = 10_000;
/** Pages that are all different: the depth of the unstable tree grows with them. */
const DIFFERENT_PAGES = 1000;

function process(pages: number, different: boolean): ReturnType<typeof mm_alloc> {
  const mm = mm_alloc();
  vm_mmap(mm, BASE, pages * PAGE_SIZE, VM_READ | VM_WRITE);
  const bytes = new Uint8Array(PAGE_SIZE).fill(7);
  const words = new DataView(bytes.buffer);
  for (let i = 0; i < pages; i++) {
    if (different) words.setUint32(0, Math.imul(i, 0x9e3779b1) >>> 0);
    userStoreBytes(mm, BASE + i * PAGE_SIZE, bytes);
  }
  do_madvise(mm, BASE, pages * PAGE_SIZE, MADV_MERGEABLE);
  return mm;
}

function scan(): void {
  mutex_lock(ksm_thread_mutex);
  ksm_do_scan(10 * PAGES);
  mutex_unlock(ksm_thread_mutex);
}

/** Pages per second of `what` over `pages` pages. */
function rate(pages: number, what: () => void): number {
  const start = globalThis.process.hrtime.bigint();
  what();
  return pages / (Number(globalThis.process.hrtime.bigint() - start) / 1e9);
}

set_ksm_variant('fixed');
ksm_sysfs_store('max_page_sharing', '1000000');

/** Each prepares, measures once, and leaves nothing behind. */
const CASES: Readonly<Record<string, () => number>> = {
  checksums: () => {
    const mm = process(PAGES, true);
    const result = rate(PAGES, scan);
    return finish(mm, result);
  },
  different: () => {
    const mm = process(DIFFERENT_PAGES, true);
    scan();
    scan();
    const result = rate(5 * DIFFERENT_PAGES, () => {
      for (let i = 0; i < 5; i++) scan();
    });
    return finish(mm, result);
  },
  merge: () => {
    const mm = process(PAGES, false);
    scan();
    const result = rate(PAGES, scan);
    return finish(mm, result);
  },
  unmerge: () => {
    const mm = process(PAGES, false);
    scan();
    scan();
    const result = rate(PAGES, () => {
      run_store('2');
    });
    return finish(mm, result);
  },
};

function finish(mm: ReturnType<typeof mm_alloc>, result: number): number {
  run_store('0');
  mmput(mm);
  run_store('2');
  run_store('0');
  return result;
}

parentPort?.on('message', (name: string) => parentPort?.postMessage((CASES[name] as () => number)()));
