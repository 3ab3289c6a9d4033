/** Scaling: 1, 2, 4, ... pairs or engines side by side, up to the cores there are. Each has a memory of its own. */
import { fuzz } from '../src/lab/search/fuzz.ts';
import { SearchPool } from '../src/lab/search/pool.ts';
import { type BenchOptions, type Row, row } from './bench.ts';
import { perSecond } from './stress-options.ts';

export const name = 'scaling';
export const about = 'trials/s of 1, 2, 4, ... pairs and schedules/s of as many engines, up to the cores; efficiency against one';

/** 1, 2, 4, ... and the most. */
function sizesUpTo(most: number): number[] {
  const sizes: number[] = [];
  for (let n = 1; n <= most; n *= 2) sizes.push(n);
  if (!sizes.includes(most)) sizes.push(most);
  return sizes;
}

async function schedulesPerSecond(engines: number, seconds: number): Promise<number> {
  const pool = new SearchPool(engines, { lockdep: 'on' });
  try {
    const workload = { variant: 'unfixed', tasks: 2, vmas: 1, pages: 1, processes: 0, scanned: false };
    const subject = { scenario: 'ksm-exit', workload, strategy: 'random', depth: 2, seed: 1 };
    const result = await fuzz(pool, { ...subject, schedules: Number.POSITIVE_INFINITY, seconds, untilFinding: false });
    return result.schedules / result.seconds;
  } finally {
    await pool.end();
  }
}

/** Rows of all sizes, each against one, round by round. */
async function scale(
  rounds: number,
  what: string,
  unit: string,
  sizes: readonly number[],
  measure: (n: number) => Promise<number>,
): Promise<Row[]> {
  const samples = sizes.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, n] of sizes.entries()) samples[i]?.push(await measure(n));
  }
  return sizes.flatMap((n, i) => {
    const mine = samples[i] as number[];
    const efficiency = mine.map((perSecond, r) => perSecond / n / (samples[0]?.[r] as number));
    return [row('scaling', `${what}: ${n}`, unit, mine), row('scaling', `${what}: ${n}, each against one alone`, 'efficiency', efficiency)];
  });
}

export async function run(options: BenchOptions): Promise<Row[]> {
  const seconds = options.quick ? 1 : 2;
  const rounds = options.quick ? 2 : 5;
  const pairs = sizesUpTo(Math.max(1, Math.floor(options.cores / 2)));
  return [
    ...(await scale(rounds, 'pairs', 'trials/s', pairs, (n) => perSecond({ workers: 2 * n }, seconds, (counts) => counts.trials))),
    ...(await scale(rounds, 'engines', 'schedules/s', sizesUpTo(options.cores), (n) => schedulesPerSecond(n, seconds))),
  ];
}
