/**
 * The scenarios that there are: what they are called, who runs in them, and which variants of the kernel they know.
 * Data only, so that the command line can list them without setting up a machine. @notrace
 */

export interface ScenarioInfo {
  name: string;
  summary: string;
  tasks: readonly { name: string; does: string }[];
  variants: readonly { name: string; does: string }[];
  /** What must hold in every variant. */
  invariants: readonly string[];
}

const ksmExit: ScenarioInfo = {
  name: 'ksm-exit',
  summary: 'the unmerge pass of KSM iterates the areas of a process that exits',
  tasks: [
    { name: 'scanner', does: 'writes 2 to /sys/kernel/mm/ksm/run: unmerge_and_remove_all_rmap_items()' },
    { name: 'process', does: 'maps, madvises, touches and exits: mmput() and __mmput()' },
    { name: 'ksmd', does: 'scans mergeable areas (organic shape; before each trial in the paired shape)' },
  ],
  variants: [
    { name: 'unfixed', does: 'Linux 6.1: ksm_test_exit() inside the loop over the areas' },
    { name: 'fixed', does: 'the patch: ksm_test_exit() once, before the loop' },
    { name: 'both', does: 'both checks, as asked for in the thread' },
    { name: 'linked-list', does: 'before 6.1: areas on a linked list, nothing for lockdep to look at' },
  ],
  invariants: ['the lock that the iterator was set up with is the mmap_lock of the mm (the BUG_ON of the thread)'],
};

const oom2009: ScenarioInfo = {
  name: 'oom-2009',
  summary: 'memory runs out in the unmerge pass, and the process that is killed for it waits for the pass',
  tasks: [
    { name: 'scanner', does: 'writes 2 to the run file: each page that it breaks apart needs a frame, and none is left' },
    { name: 'process', does: 'writes to one of its merged pages and exits' },
  ],
  variants: [
    { name: 'pre-fix', does: 'Linux before 2.6.31: exit needs ksm_thread_mutex, exit_mmap works without mmap_lock' },
    { name: 'fixed', does: 'today: exit leaves its items to the scanner, the writer of run is killed first' },
  ],
  invariants: ['counters, lists, trees and map counts of KSM agree when all tasks are through'],
};

const ksmMerge: ScenarioInfo = {
  name: 'ksm-merge',
  summary: 'merged pages are written, broken apart, scanned and unmapped at the same time',
  tasks: [
    { name: 'first, second', does: 'write to a page that they share' },
    { name: 'fork', does: 'the first process forks, and the child writes' },
    { name: 'ksmd, scanner', does: 'a full scan; the unmerge pass' },
    { name: 'exit', does: 'the second process ends' },
  ],
  variants: [
    { name: 'write', does: 'both processes write to one KSM page; with 3 tasks ksmd scans' },
    { name: 'unmerge', does: 'the unmerge pass against a writer; with 3 tasks the other process exits' },
    { name: 'merge', does: 'ksmd merges while a process exits; with 3 tasks the other one writes' },
    { name: 'fork', does: 'a process forks and the child writes, the unmerge pass; with 3 tasks the parent writes too' },
  ],
  invariants: ['no process sees content that it did not write', 'counters, lists, trees and map counts of KSM agree'],
};

export const scenarios: readonly ScenarioInfo[] = [ksmExit, ksmMerge, oom2009];
