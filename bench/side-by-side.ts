/** Takes turns between subjects, so that what disturbs the machine disturbs all of them alike. */
import { seededRandom, shuffle } from '../src/lab/stats/random.ts';
import { type BenchOptions, type Row, row } from './bench.ts';

/** One of those that are compared. */
export interface Subject {
  /** Whose it is; absent: ours. */
  peer?: string;
  /** Measures once and gives the sample in the row's unit. */
  sample: () => number | Promise<number>;
}

/** Rounds without record: the optimiser settles, caches fill. */
const WARM_UP = 2;

/**
 * Measures every subject once a round, in random order.
 * @param rounds  samples per subject; @defaultValue 15, or 7 when quick: the least that leaves a rank test something after Holm's correction
 */
export async function sideBySide(
  options: BenchOptions,
  group: string,
  what: string,
  unit: string,
  subjects: Subject[],
  rounds: number = options.quick ? 7 : 15,
): Promise<Row[]> {
  const random = seededRandom(1);
  const samples = subjects.map((): number[] => []);
  const order = subjects.map((_, i) => i);
  for (let round = -WARM_UP; round < rounds; round++) {
    for (const i of shuffle(random, order)) {
      const value = await (subjects[i] as Subject).sample();
      if (round >= 0) samples[i]?.push(value);
    }
  }
  return subjects.map((subject, i) => row(group, what, unit, samples[i] as number[], subject.peer));
}
