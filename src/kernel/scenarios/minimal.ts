/**
 * The bare model of the race: a mutex for `ksm_mmlist_lock`, a reader-writer lock for `mmap_lock`, atomics for users,
 * tree flags and VMAs, and nothing else. For comparing the search with other tools; `ksm-exit` is the real thing.
 *
 * ```
 * task 1 (unmerge pass)              task 2 (exit)
 * lock list; cursor := slot; unlock  mm_users := 0
 *                                    lock list; cursor on the slot: leave it; unlock
 *                                    mmap_lock for write, and at once given up
 *                                    mmap_lock for write: VMAs freed, flags := 0
 * mmap_lock for read
 * flags say: not checked by mmap_lock  -> finding
 * ```
 */
import { addressOf, atomic_dec_return, atomic_read, get, READ_ONCE, set, WRITE_ONCE } from '../../machine/door.ts';
import { embed, type Ptr, struct, word } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { MT_FLAGS_LOCK_EXTERN } from '../include/maple_tree.ts';
import { staticKey } from '../locking/lockdep/types.ts';
import { mutex, mutex_init, mutex_lock, mutex_unlock } from '../locking/mutex.ts';
import { down_read, down_write, init_rwsem, rw_semaphore, up_read, up_write } from '../locking/rwsem.ts';
import type { Scenario, ScenarioTask, Workload } from './scenario.ts';

const minimal_world = struct('minimal_world', {
  ksm_mmlist_lock: embed(mutex),
  mmap_lock: embed(rw_semaphore),
  /** Atomic. */
  mm_users: word,
  /** Read racily, written under mmap_lock. */
  ma_flags: word,
  nr_vmas: word,
  // Protected by ksm_mmlist_lock.
  /** 1 while the slot is on the list. */
  listed: word,
  /** 1 while the cursor is on the slot. */
  cursor: word,
  /** Dereferences of the destroyed tree. */
  hits: word,
});

const world = staticStorage('minimal_world', minimal_world.SIZE).address as Ptr<'minimal_world'>;
const ksm_mmlist_lock = addressOf(world, minimal_world.ksm_mmlist_lock);
const mmap_lock = addressOf(world, minimal_world.mmap_lock);

/** @inline */
function ksm_test_exit(): boolean {
  return atomic_read(world, minimal_world.mm_users) === 0;
}

/** The read of the tree's flags before every dereference; false when the tree is gone. @inline */
function mas_start(): boolean {
  if ((READ_ONCE(world, minimal_world.ma_flags) & MT_FLAGS_LOCK_EXTERN) !== 0) return true;
  set(world, minimal_world.hits, get(world, minimal_world.hits) + 1);
  return false;
}

function unmerge_and_remove_all_rmap_items(workload: Workload): void {
  mutex_lock(ksm_mmlist_lock);
  const listed = get(world, minimal_world.listed);
  set(world, minimal_world.cursor, listed);
  mutex_unlock(ksm_mmlist_lock);
  if (listed === 0) return;
  down_read(mmap_lock);
  if (workload.variant !== 'fixed' || !ksm_test_exit()) {
    for (let i = 0; mas_start() && i < READ_ONCE(world, minimal_world.nr_vmas); i++) {
      if (workload.variant !== 'fixed' && ksm_test_exit()) break;
    }
  }
  up_read(mmap_lock);
  mutex_lock(ksm_mmlist_lock);
  set(world, minimal_world.cursor, 0);
  if (ksm_test_exit()) set(world, minimal_world.listed, 0);
  mutex_unlock(ksm_mmlist_lock);
}

function mmput(): void {
  if (atomic_dec_return(world, minimal_world.mm_users) !== 0) return;
  mutex_lock(ksm_mmlist_lock);
  const easy = get(world, minimal_world.cursor) === 0;
  if (easy) set(world, minimal_world.listed, 0);
  mutex_unlock(ksm_mmlist_lock);
  if (!easy) {
    down_write(mmap_lock);
    up_write(mmap_lock);
  }
  down_write(mmap_lock);
  WRITE_ONCE(world, minimal_world.nr_vmas, 0);
  WRITE_ONCE(world, minimal_world.ma_flags, 0);
  up_write(mmap_lock);
}

const TASKS: readonly ScenarioTask[] = [
  { name: 'scanner', run: unmerge_and_remove_all_rmap_items },
  { name: 'exit', run: mmput },
];

function tasks(): readonly ScenarioTask[] {
  return TASKS;
}

function setUp(workload: Workload): void {
  mutex_init(ksm_mmlist_lock, 'ksm_mmlist_lock', staticKey('minimal:ksm_mmlist_lock'));
  init_rwsem(mmap_lock, '&mm->mmap_lock', staticKey('minimal:mmap_lock'));
  set(world, minimal_world.mm_users, 1);
  set(world, minimal_world.ma_flags, MT_FLAGS_LOCK_EXTERN);
  set(world, minimal_world.nr_vmas, workload.vmas);
  set(world, minimal_world.listed, 1);
  set(world, minimal_world.cursor, 0);
  set(world, minimal_world.hits, 0);
}

const FINDING: readonly string[] = ['the destroyed tree was dereferenced'];
const SILENT: readonly string[] = [];

function check(): readonly string[] {
  return get(world, minimal_world.hits) === 0 ? SILENT : FINDING;
}

function tearDown(): void {}

export const minimal: Scenario = {
  name: 'minimal',
  summary: 'a bare model of the race in two tasks, for comparing the search with other tools',
  variants: ['unfixed', 'fixed'],
  taskLimits: [2, 2],
  defaults: { vmas: 1, pages: 0, processes: 0, scanned: false },
  tasks,
  setUp,
  check,
  tearDown,
};
