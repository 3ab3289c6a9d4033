/** The race detector against happens-before worked out edge by edge, on random runs of plain accesses, marked words and locks. */
import { expect, test } from 'vitest';
import { configureBoot } from '../../../src/machine/boot.ts';

configureBoot({ stepped: true, races: true, arenaBytes: 8 << 20 });
const { beginRaces, onRace, sawPlain, sawStep } = await import('../../../src/machine/stepped/races.ts');
const { setCurrent } = await import('../../../src/machine/task-area.ts');
const { staticStorage } = await import('../../../src/machine/memory.ts');
const { Random } = await import('../../../src/lab/search/random.ts');
const points = await import('../../../src/machine/points.ts');
const { POINT_LOCK, POINT_READ, POINT_RLOCK, POINT_RMW, POINT_RUNLOCK, POINT_UNLOCK, POINT_WRITE } = points;

const words = staticStorage('test_race_words', 256, 64).address;
const PLAIN_WORDS = 4;
const MARKED_WORDS = 2;
const LOCKS = 2;
const TASKS = 3;

interface Step {
  task: number;
  /** POINT_*, 0 for a plain access. */
  kind: number;
  address: number;
  write: boolean;
}

/** A run in which locks are held by one writer or by readers. */
function randomRun(random: InstanceType<typeof Random>, length: number): Step[] {
  const run: Step[] = [];
  const writer: (number | undefined)[] = [];
  const readers: Set<number>[] = Array.from({ length: LOCKS }, () => new Set());
  while (run.length < length) {
    const task = random.below(TASKS);
    const what = random.below(10);
    if (what < 4) {
      run.push({ task, kind: 0, address: words + 4 * random.below(PLAIN_WORDS), write: random.below(2) === 0 });
      continue;
    }
    if (what < 5) {
      const kind = [POINT_READ, POINT_WRITE, POINT_RMW][random.below(3)] as number;
      run.push({ task, kind, address: words + 4 * (PLAIN_WORDS + random.below(MARKED_WORDS)), write: kind !== POINT_READ });
      continue;
    }
    const lock = random.below(LOCKS);
    const address = words + 128 + 64 * lock;
    const held = readers[lock] as Set<number>;
    let kind: number;
    if (writer[lock] === task) {
      kind = POINT_UNLOCK;
      writer[lock] = undefined;
    } else if (held.delete(task)) kind = POINT_RUNLOCK;
    else if (writer[lock] !== undefined) continue;
    else if (random.below(2) === 0) {
      kind = POINT_RLOCK;
      held.add(task);
    } else if (held.size === 0) {
      kind = POINT_LOCK;
      writer[lock] = task;
    } else continue;
    run.push({ task, kind, address, write: false });
  }
  return run;
}

/** Does the later step wait for what the earlier one published? */
function synchronises(earlier: Step, later: Step): boolean {
  if (earlier.address !== later.address) return false;
  const byReader = earlier.kind === POINT_RUNLOCK;
  if (!byReader && ![POINT_UNLOCK, POINT_WRITE, POINT_RMW].includes(earlier.kind)) return false;
  if (later.kind === POINT_LOCK || later.kind === POINT_RMW) return true;
  return !byReader && [POINT_RLOCK, POINT_READ].includes(later.kind);
}

/** The first step that races with an earlier one, for each word that has a race. */
function racesOf(run: readonly Step[]): Map<number, number> {
  const before: Set<number>[] = [];
  const out = new Map<number, number>();
  for (const [n, step] of run.entries()) {
    const mine = new Set<number>();
    for (let m = 0; m < n; m++) {
      const other = run[m] as Step;
      if (other.task !== step.task && !synchronises(other, step)) continue;
      mine.add(m);
      for (const earlier of before[m] as Set<number>) mine.add(earlier);
    }
    before.push(mine);
    const races = (other: Step, m: number) =>
      other.kind === 0 && other.address === step.address && (other.write || step.write) && !mine.has(m);
    if (step.kind === 0 && !out.has(step.address) && run.slice(0, n).some(races)) out.set(step.address, n);
  }
  return out;
}

test('it reports a word at the very step at which its first race can be known, and no other word', () => {
  const random = new Random();
  let racy = 0;
  for (let seed = 0; seed < 3000; seed++) {
    random.seed(7, seed);
    const run = randomRun(random, 8 + (seed % 40));
    const found = new Map<number, number>();
    let at = 0;
    onRace((_write, address) => void (found.has(address) || found.set(address, at)));
    beginRaces(TASKS);
    for (const { task, kind, address, write } of run) {
      setCurrent(task);
      if (kind === 0) sawPlain(address, write);
      else sawStep(kind, address);
      at++;
    }
    const expected = racesOf(run);
    expect([...found].sort(), `seed ${seed}`).toEqual([...expected].sort());
    racy += expected.size;
  }
  expect(racy).toBeGreaterThan(1000);
});
