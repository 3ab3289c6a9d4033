/** Scaling: 1, 2, 4, ... pairs side by side, up to the cores there are. Each pair has a memory of its own. */
import { runStress } from '../src/lab/stress/run.ts';
import { type BenchOptions, type Row, row } from './bench.ts';
import { pairedStress } from './stress-options.ts';

export const name = 'scaling';
export const about = 'trials/s of 1, 2, 4, ... pairs up to the cores, and the efficiency against one pair';

export async function run(options: BenchOptions): Promise<Row[]> {
  const seconds = options.quick ? 0.5 : 2;
  const rounds = options.quick ? 2 : 5;
  const sizes: number[] = [];
  for (let pairs = 1; 2 * pairs <= Math.max(2, options.cores); pairs *= 2) sizes.push(pairs);
  const largest = Math.floor(options.cores / 2);
  if (largest > (sizes.at(-1) as number)) sizes.push(largest);
  const samples = sizes.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, pairs] of sizes.entries()) {
      const result = await runStress(pairedStress({ workers: 2 * pairs, seconds }));
      samples[i]?.push(result.counts.trials / result.seconds);
    }
  }
  return sizes.flatMap((pairs, i) => {
    const mine = samples[i] as number[];
    const efficiency = mine.map((perSecond, r) => perSecond / pairs / (samples[0]?.[r] as number));
    return [row('scaling', `${pairs} pairs`, 'trials/s', mine), row('scaling', `${pairs} pairs against one`, 'efficiency', efficiency)];
  });
}
