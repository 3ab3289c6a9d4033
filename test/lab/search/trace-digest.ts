/**
 * A process: plays 10,000 seeds each of two scenarios and prints one digest per scenario of all schedules, their traces and
 * findings. The same on every machine, under every version of Node, and whatever was played before: `node trace-digest.js [backwards]`.
 */
import { createHash } from 'node:crypto';
import { loadSearch, signatures } from './support.ts';

const SEEDS = 10_000;
const CAMPAIGN = 2026;

const backwards = process.argv[2] === 'backwards';
const search = await loadSearch({ lockdep: 'on', arenaBytes: 32 << 20 });
const random = new search.Random();
const hash = new search.TraceHash();
for (const [scenario, tasks] of [
  ['minimal', 2],
  ['ksm-exit', 3],
] as const) {
  const { engine, profile } = search.engineFor(scenario, 'unfixed', { tasks });
  const strategy = await search.loadStrategy('portfolio', { depth: 3 });
  const outcomes: string[] = Array(SEEDS).fill('');
  engine.observer = hash;
  for (let n = 0; n < SEEDS; n++) {
    const index = backwards ? SEEDS - 1 - n : n;
    random.seed(CAMPAIGN, index);
    engine.run(strategy, random, profile);
    outcomes[index] = JSON.stringify([engine.segments(), hash.text(), engine.steps, engine.ending, signatures(engine)]);
  }
  const sum = createHash('sha256').update(outcomes.join('\n')).digest('hex').slice(0, 16);
  console.log(`${scenario}, ${SEEDS} seeds, ${new Set(outcomes).size} schedules: ${sum}`);
}
