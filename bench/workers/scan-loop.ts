/** A thread of one boot mode that times ksmd's full scans. */
import { parentPort, workerData } from 'node:worker_threads';
import { type BootOptions, configureBoot } from '../../src/machine/boot.ts';

configureBoot({ arenaBytes: 32 << 20, task: 0, ...(workerData as Partial<BootOptions>) });
const { newProcess, spread } = await import('../../src/lab/stress/process.ts');
const { ksm_do_scan } = await import('../../src/kernel/mm/ksm-scan.ts');
const { ksm_thread_mutex } = await import('../../src/kernel/mm/ksm-types.ts');
const { mutex_lock, mutex_unlock } = await import('../../src/kernel/locking/mutex.ts');

const PAGES = 1024;
/** One area of many pages; each has its own content, so that nothing merges. */
newProcess(spread(1, PAGES), 1);

parentPort?.on('message', (scans: number) => {
  const start = process.hrtime.bigint();
  for (let i = 0; i < scans; i++) {
    mutex_lock(ksm_thread_mutex);
    ksm_do_scan(PAGES + 1);
    mutex_unlock(ksm_thread_mutex);
  }
  parentPort?.postMessage((scans * PAGES) / (Number(process.hrtime.bigint() - start) / 1e9));
});
