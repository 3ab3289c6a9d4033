/** A block of schedules of a campaign, in one thread: the unit of work that is handed out. */
import { EmulatorBug } from '../../machine/errors.ts';
import { type FoundInBlock, FoundTable } from './found-table.ts';
import { countHappenings, type Happenings } from './happenings.ts';
import { Random } from './random.ts';
import { type Session, type Subject, sessionFor } from './session.ts';
import { loadStrategy, type Strategy } from './strategy.ts';
import { TraceHash } from './trace-hash.ts';

export interface FuzzBlock extends Subject {
  readonly strategy: string;
  readonly depth: number;
  readonly seed: number;
  /** Number of the first schedule, and how many. */
  readonly from: number;
  readonly count: number;
}

export interface FuzzBlockResult extends Happenings {
  readonly schedules: number;
  readonly steps: number;
  /** Schedules with any finding. */
  readonly withFinding: number;
  readonly found: FoundInBlock[];
  readonly milliseconds: number;
}

/** One schedule in so many is played again, twice, and compared. */
const CHECK_EVERY = 100;

/**
 * @throws EmulatorBug when a schedule comes out differently the second time
 */
export async function fuzzBlock(block: FuzzBlock): Promise<FuzzBlockResult> {
  const session = await sessionFor(block);
  const { engine, profile } = session;
  const strategy = await loadStrategy(block.strategy, { depth: block.depth });
  const random = new Random();
  const seen = countHappenings();
  const found = new FoundTable();
  const start = performance.now();
  let steps = 0;
  let withFinding = 0;
  for (let index = block.from; index < block.from + block.count; index++) {
    random.seed(block.seed, index);
    engine.run(strategy, random, profile);
    steps += engine.steps;
    if (engine.found.length > 0) {
      withFinding++;
      found.add(engine, index);
    }
    if (index % CHECK_EVERY === 0) checkAgain(session, strategy, random, block, index, seen);
  }
  return { ...seen, schedules: block.count, steps, withFinding, found: found.list(), milliseconds: performance.now() - start };
}

/** Plays schedule `index` twice more, watched, and compares all three. */
function checkAgain(
  { engine, profile }: Session,
  strategy: Strategy,
  random: Random,
  block: FuzzBlock,
  index: number,
  seen: Happenings,
): void {
  const before = { ...seen, hits: { ...seen.hits } };
  const found = engine.found.join();
  const runs = JSON.stringify(engine.segments());
  const hash = new TraceHash();
  const hashes: string[] = [];
  engine.observer = hash;
  for (let time = 0; time < 2; time++) {
    random.seed(block.seed, index);
    engine.run(strategy, random, profile);
    hashes.push(hash.text());
    if (engine.found.join() !== found || JSON.stringify(engine.segments()) !== runs || hashes[0] !== hashes[time]) {
      throw new EmulatorBug(`schedule ${index} of seed ${block.seed} (${block.strategy}) came out differently when it was played again`);
    }
  }
  engine.observer = undefined;
  Object.assign(seen, before);
  Object.assign(seen.hits, before.hits);
}
