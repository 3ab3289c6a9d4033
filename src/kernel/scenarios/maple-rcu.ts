/**
 * One writer and two readers on one maple tree in RCU mode. Each write has a version, and the version is what it stores: so a reader can
 * tell whether what it found was true at some moment between the start and the end of its lookup.
 */
import { addressOf, get, set } from '../../machine/door.ts';
import { embed, embedArray, type Ptr, struct, word } from '../../machine/layout.ts';
import { loadWord, storeWord } from '../../machine/lockword.ts';
import { staticStorage } from '../../machine/memory.ts';
import { MT_FLAGS_ALLOC_RANGE, MT_FLAGS_USE_RCU, maple_tree } from '../include/maple_tree.ts';
import { mtree_destroy } from '../lib/maple-tree/destroy.ts';
import { mt_init_flags } from '../lib/maple-tree/init.ts';
import { mas_find } from '../lib/maple-tree/iterate.ts';
import { mtree_load, mtree_store_range } from '../lib/maple-tree/normal-api.ts';
import { MA_STATE } from '../lib/maple-tree/state.ts';
import { mt_validate } from '../lib/maple-tree/validate.ts';
import { rcu_barrier, rcu_read_lock, rcu_read_unlock } from '../rcu.ts';
import type { Scenario, ScenarioTask, Workload } from './scenario.ts';

/** Ranges at the start: 0..5, 10..15, ... in a tree of two levels. */
const RANGES = 24;
const FIRST_VERSION = 1;

/** The writes: first and last index, and whether NULL is stored; the first has version 2. */
const WRITES: readonly (readonly [number, number, boolean])[] = [
  [52, 53, false],
  [35, 128, false],
  [60, 75, true],
];
/** Indices that the readers look up. */
const CELLS: readonly number[] = [12, 53, 64, 112];

const cell_versions = struct('cell_versions', {
  /** Version of the last write over the index that has begun, and that is through. */
  begun: word,
  through: word,
});

const maple_world = struct('maple_world', {
  tree: embed(maple_tree),
  cells: embedArray(cell_versions, CELLS.length),
  /** Lookups that gave what was not true. */
  wrong: word,
});

const world = staticStorage('maple_rcu_world', maple_world.SIZE).address as Ptr<'maple_world'>;
const tree = addressOf(world, maple_world.tree);

/** @inline */
function cell(i: number): Ptr<'cell_versions'> {
  return ((world as number) + maple_world.cells + i * cell_versions.SIZE) as Ptr<'cell_versions'>;
}

/** @inline */
function entryOf(version: number): number {
  return version << 2;
}

function setUp(workload: Workload): void {
  mt_init_flags(tree, MT_FLAGS_ALLOC_RANGE | (workload.variant === 'rcu' ? MT_FLAGS_USE_RCU : 0));
  for (let i = 0; i < RANGES; i++) mtree_store_range(tree, i * 10, i * 10 + 5, entryOf(FIRST_VERSION));
  rcu_barrier();
  for (let i = 0; i < CELLS.length; i++) {
    set(cell(i), cell_versions.begun, FIRST_VERSION);
    set(cell(i), cell_versions.through, FIRST_VERSION);
  }
  set(world, maple_world.wrong, 0);
}

function write_all(): void {
  for (let w = 0; w < WRITES.length; w++) {
    const [first, last, isNull] = WRITES[w] as readonly [number, number, boolean];
    const version = FIRST_VERSION + 1 + w;
    for (let i = 0; i < CELLS.length; i++) {
      if ((CELLS[i] as number) >= first && (CELLS[i] as number) <= last) storeWord(cell(i), cell_versions.begun, version);
    }
    mtree_store_range(tree, first, last, isNull ? 0 : entryOf(version));
    for (let i = 0; i < CELLS.length; i++) {
      if ((CELLS[i] as number) >= first && (CELLS[i] as number) <= last) storeWord(cell(i), cell_versions.through, version);
    }
  }
}

/** What cell `i` holds as of `version`: 0 for NULL or a gap. */
function entryAsOf(i: number, version: number): number {
  const index = CELLS[i] as number;
  let entry = index % 10 <= 5 ? entryOf(FIRST_VERSION) : 0;
  for (let w = 0; w < WRITES.length && FIRST_VERSION + 1 + w <= version; w++) {
    const [first, last, isNull] = WRITES[w] as readonly [number, number, boolean];
    if (index >= first && index <= last) entry = isNull ? 0 : entryOf(FIRST_VERSION + 1 + w);
  }
  return entry;
}

/** Counts a lookup whose answer was true at no moment since version `from`. */
function judge(i: number, entry: number, from: number): void {
  const to = loadWord(cell(i), cell_versions.begun);
  for (let version = from; version <= to; version++) if (entryAsOf(i, version) === entry) return;
  storeWord(world, maple_world.wrong, loadWord(world, maple_world.wrong) + 1);
}

function look_up(): void {
  for (let i = 1; i < 3; i++) {
    const from = loadWord(cell(i), cell_versions.through);
    judge(i, mtree_load(tree, CELLS[i] as number), from);
  }
}

function iterate(): void {
  const mas = MA_STATE(tree, 40, 40);
  rcu_read_lock();
  const from1 = loadWord(cell(1), cell_versions.through);
  const from3 = loadWord(cell(3), cell_versions.through);
  let seen1 = 0;
  let seen3 = 0;
  for (let entry = mas_find(mas, 120); entry !== 0; entry = mas_find(mas, 120)) {
    if (mas.index <= (CELLS[1] as number) && mas.last >= (CELLS[1] as number)) seen1 = entry;
    if (mas.index <= (CELLS[3] as number) && mas.last >= (CELLS[3] as number)) seen3 = entry;
  }
  rcu_read_unlock();
  judge(1, seen1, from1);
  judge(3, seen3, from3);
}

const TASKS: readonly ScenarioTask[] = [
  { name: 'writer', run: write_all },
  { name: 'reader', run: look_up },
  { name: 'iterator', run: iterate },
];

function tearDown(): void {
  mtree_destroy(tree);
  rcu_barrier();
}

export const mapleRcu: Scenario = {
  name: 'maple-rcu',
  summary:
    'readers without locks in a maple tree that is being written (rcu: nodes are replaced; in-place: they are changed under the readers)',
  variants: ['rcu', 'in-place'],
  taskLimits: [2, 3],
  defaults: { vmas: 1, pages: 0, processes: 0, scanned: false },
  tasks: (workload) => TASKS.slice(0, workload.tasks),
  setUp,
  check() {
    const found: string[] = [];
    if (get(world, maple_world.wrong) !== 0) found.push('a lookup gave what was true at no moment of it');
    if (mt_validate(tree).length > 0) found.push('the tree is not valid');
    return found;
  },
  tearDown,
};
