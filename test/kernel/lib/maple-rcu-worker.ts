/**
 * One thread of the RCU test: the writer, or a reader. Writes carry their version as the entry; the log, beside the tree in a
 * memory of its own, says over which cells each version went, and which version of a cell has begun and is through.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { configureBoot } from '../../../src/machine/boot.ts';

interface RcuWorkerData {
  arena: SharedArrayBuffer;
  log: SharedArrayBuffer;
  /** Task number; 0 is the writer. */
  task: number;
  writes: number;
  /** Lookups that a reader makes at least. */
  lookups: number;
}

/** Cells of the index space, and indices per cell. */
const CELLS = 256;
const CELL = 16;

/** Words of the log: done, cells begun, cells through, then first, last, NULL per version. */
const LOG_DONE = 0;
const BEGUN = 16;
const THROUGH = BEGUN + CELLS;
const VERSIONS = THROUGH + CELLS;

const data = workerData as RcuWorkerData;
configureBoot({ arena: data.arena, lockdep: 'off' });
const { maple_tree } = await import('../../../src/kernel/include/maple_tree.ts');
const { ULONG_MAX } = await import('../../../src/kernel/include/mm_types.ts');
const { mas_find } = await import('../../../src/kernel/lib/maple-tree/iterate.ts');
const { mtree_load, mtree_store_range } = await import('../../../src/kernel/lib/maple-tree/normal-api.ts');
const { MA_STATE } = await import('../../../src/kernel/lib/maple-tree/state.ts');
const { rcu_barrier, rcu_read_lock, rcu_read_unlock } = await import('../../../src/kernel/rcu.ts');
const { staticStorage } = await import('../../../src/machine/memory.ts');
const { setCurrent } = await import('../../../src/machine/task-area.ts');

const mt = staticStorage('test_tree', maple_tree.SIZE).address as Parameters<typeof mtree_load>[0];
const log = new Int32Array(data.log);
setCurrent(data.task + 1);

let state = 0x9e3779b9 ^ (data.task * 77777);
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

function write(): void {
  for (let version = 1; version <= data.writes; version++) {
    const first = random(CELLS);
    const last = Math.min(CELLS - 1, first + (random(10) === 0 ? random(80) : random(3)));
    const isNull = random(3) === 0;
    log.set([first, last, isNull ? 1 : 0], VERSIONS + 3 * version);
    for (let cell = first; cell <= last; cell++) Atomics.store(log, BEGUN + cell, version);
    const error = mtree_store_range(mt, first * CELL, last * CELL + CELL - 1, isNull ? 0 : version * 4);
    if (error !== 0) throw new Error(`store failed: ${error}`);
    for (let cell = first; cell <= last; cell++) Atomics.store(log, THROUGH + cell, version);
  }
  rcu_barrier();
  Atomics.store(log, LOG_DONE, 1);
}

/** Was `entry` the content of the cell at some moment since version `from` was through? */
function wasTrue(cell: number, entry: number, from: number): boolean {
  const to = Atomics.load(log, BEGUN + cell);
  if (entry !== 0) {
    const version = entry / 4;
    return (
      version >= from &&
      version <= to &&
      (log[VERSIONS + 3 * version] as number) <= cell &&
      (log[VERSIONS + 3 * version + 1] as number) >= cell
    );
  }
  for (let version = from; version <= to; version++) {
    if (version === 0) return true;
    const at = VERSIONS + 3 * version;
    if (log[at + 2] === 1 && (log[at] as number) <= cell && (log[at + 1] as number) >= cell) return true;
  }
  return false;
}

const wrong: string[] = [];
let lookups = 0;

function lookUp(): void {
  const cell = random(CELLS);
  const from = Atomics.load(log, THROUGH + cell);
  const entry = mtree_load(mt, cell * CELL + random(CELL));
  if (!wasTrue(cell, entry, from)) wrong.push(`cell ${cell} held ${entry / 4}, since ${from}`);
}

/**
 * Walks over all ranges; each cell is judged once, with the range that was found over it. The cell that a step begins with must be as
 * it was at some moment of that step, the others of the walk.
 */
function iterate(): void {
  const from = Array.from({ length: CELLS }, (_, cell) => Atomics.load(log, THROUGH + cell));
  const mas = MA_STATE(mt, 0, 0);
  rcu_read_lock();
  let cell = 0;
  while (cell < CELLS && wrong.length < 5) {
    from[cell] = Atomics.load(log, THROUGH + cell);
    const entry = mas_find(mas, ULONG_MAX);
    const found = entry === 0 ? CELLS : Math.max(cell, Math.floor(mas.index / CELL));
    if (entry !== 0 && mas.last < cell * CELL) wrong.push('the walk went backward');
    for (; cell < found; cell++)
      if (!wasTrue(cell, 0, from[cell] as number)) wrong.push(`the walk left cell ${cell} out, since ${from[cell]}`);
    for (; entry !== 0 && cell < CELLS && cell * CELL <= mas.last; cell++) {
      if (!wasTrue(cell, entry, from[cell] as number)) wrong.push(`the walk found ${entry / 4} in cell ${cell}, since ${from[cell]}`);
    }
    if (entry === 0) break;
  }
  rcu_read_unlock();
}

if (data.task === 0) write();
else {
  while ((Atomics.load(log, LOG_DONE) === 0 || lookups < data.lookups) && wrong.length < 5) {
    if (lookups % 64 === 0) iterate();
    else lookUp();
    lookups++;
  }
}
parentPort?.postMessage({ lookups, wrong });
