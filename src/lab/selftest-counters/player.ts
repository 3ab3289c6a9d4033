/** Plays a workload: its processes, what happens to their pages, and ksmd's passes in between. All in the calling thread. */
import { dup_mm, mm_alloc, mmput } from '../../kernel/fork.ts';
import { PAGE_SIZE, VM_READ, VM_WRITE } from '../../kernel/include/mm_types.ts';
import { mutex_lock, mutex_unlock } from '../../kernel/locking/mutex.ts';
import { MADV_MERGEABLE, MADV_UNMERGEABLE, run_store } from '../../kernel/mm/ksm.ts';
import { ksmCounters } from '../../kernel/mm/ksm-counters.ts';
import { ksm_do_scan } from '../../kernel/mm/ksm-scan.ts';
import { ksm_sysfs_store } from '../../kernel/mm/ksm-sysfs.ts';
import { ksm_thread_mutex } from '../../kernel/mm/ksm-types.ts';
import { do_madvise } from '../../kernel/mm/madvise.ts';
import { vm_mmap } from '../../kernel/mm/mmap.ts';
import { userStore, userStoreBytes } from '../../kernel/mm/user-access.ts';
import { EmulatorBug } from '../../machine/errors.ts';
import type { Ptr } from '../../machine/layout.ts';
import type { Workload } from './workload.ts';

type Mm = Ptr<'mm_struct'>;

const REGION = 2 ** 32;
/** More pages than any workload has: a batch is a full scan. */
const WHOLE_SCAN = 1_000_000;
/** A step has settled when the counters stayed for this many passes, */
const QUIET_PASSES = 4;
/** and at least this many were made. */
const LEAST_PASSES = 8;
const MOST_PASSES = 200;
/** The pass by which the time to prune the chains has come. */
const PRUNING_PASS = 3;

const DEFAULTS: readonly (readonly [string, string])[] = [
  ['max_page_sharing', '256'],
  ['use_zero_pages', '0'],
  ['stable_node_chains_prune_millisecs', '2000'],
];

export class Player {
  /** Living processes by their number. */
  readonly processes = new Map<number, Mm>();
  readonly #workload: Workload;
  readonly #pages: number;
  #version = 1;

  constructor(workload: Workload) {
    this.#workload = workload;
    this.#pages = workload.parts.reduce((sum, part) => sum + part.pages, 0);
    for (const [file, value] of [...DEFAULTS, ...workload.settings]) {
      const error = ksm_sysfs_store(file, value);
      if (error !== 0) throw new EmulatorBug(`${file} did not take ${value} (${error})`);
    }
    for (let i = 0; i < workload.processes; i++) {
      const mm = mm_alloc();
      vm_mmap(mm, REGION, this.#pages * PAGE_SIZE, VM_READ | VM_WRITE);
      this.processes.set(i, mm);
      this.#fill(mm, i);
    }
    for (const mm of this.processes.values()) this.#advise(mm, 0, this.#pages, MADV_MERGEABLE);
    run_store('1');
  }

  #fill(mm: Mm, process: number): void {
    let page = 0;
    for (const { pages, fill } of this.#workload.parts) {
      for (let n = 0; n < pages; n++, page++) {
        const own = 1 + process * this.#pages + page;
        const value = fill === 'zero' ? 0 : fill === 'equal' ? 0.5 : own + this.#version * 1e6;
        userStore(mm, REGION + page * PAGE_SIZE, value);
      }
    }
  }

  #advise(mm: Mm, from: number, to: number, advice: number): void {
    const error = do_madvise(mm, REGION + from * PAGE_SIZE, (to - from) * PAGE_SIZE, advice);
    if (error !== 0) throw new EmulatorBug(`do_madvise gave ${error}`);
  }

  /** Advises on the first half of the region, or on all of it; `process` -1: in every process. */
  advise(which: 'half' | 'all', process: number, mergeable: boolean): void {
    const to = which === 'all' ? this.#pages : this.#pages >> 1;
    for (const [i, mm] of this.processes) {
      if (process < 0 || i === process) this.#advise(mm, 0, to, mergeable ? MADV_MERGEABLE : MADV_UNMERGEABLE);
    }
  }

  /** The same byte goes into every second page of a process. */
  writeEverySecond(process: number): void {
    const mm = this.processes.get(process) as Mm;
    for (let page = 0; page < this.#pages; page += 2) userStoreBytes(mm, REGION + page * PAGE_SIZE, Uint8Array.of(0x77));
  }

  /** Every page gets content of its own. */
  writeAllDifferent(): void {
    this.#version++;
    for (const [i, mm] of this.processes) {
      for (let page = 0; page < this.#pages; page++) {
        userStore(mm, REGION + page * PAGE_SIZE, this.#version * 1e6 + i * this.#pages + page);
      }
    }
  }

  /** Process 0 forks; the child is the next number. */
  fork(): void {
    this.processes.set(this.processes.size, dup_mm(this.processes.get(0) as Mm));
  }

  exit(process: number): void {
    const mm = this.processes.get(process);
    if (mm === undefined) return;
    this.processes.delete(process);
    mmput(mm);
  }

  /** One full scan. */
  pass(): void {
    if (this.#workload.parts.some((part) => part.fill === 'changing')) {
      this.#version++;
      for (const [i, mm] of this.processes) this.#fill(mm, i);
    }
    mutex_lock(ksm_thread_mutex);
    ksm_do_scan(WHOLE_SCAN);
    mutex_unlock(ksm_thread_mutex);
  }

  /** Passes until the counters stay. */
  settle(): void {
    let quiet = 0;
    let before = '';
    for (let n = 0; n < MOST_PASSES && (quiet < QUIET_PASSES || n < LEAST_PASSES); n++) {
      if (n === PRUNING_PASS) ksm_sysfs_store('stable_node_chains_prune_millisecs', '0');
      this.pass();
      if (n === PRUNING_PASS) ksm_sysfs_store('stable_node_chains_prune_millisecs', '2000');
      const { full_scans: _, ...counters } = ksmCounters();
      const now = JSON.stringify(counters);
      quiet = now === before ? quiet + 1 : 0;
      before = now;
    }
  }

  /** All processes end, and the pass that undoes all merging cleans up. */
  close(): void {
    for (const i of [...this.processes.keys()]) this.exit(i);
    run_store('0');
    run_store('2');
    run_store('0');
  }
}
