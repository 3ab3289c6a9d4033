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

export const scenarios: readonly ScenarioInfo[] = [ksmExit];
