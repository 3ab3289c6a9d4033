/** Small changes of a schedule: a switch comes earlier or later, is left out, is added, or two runs change places. */
import type { Random } from './random.ts';
import type { Run } from './token.ts';

/** A changed copy. @param tasks  number of tasks */
export function mutate(runs: readonly Run[], tasks: number, random: Random): Run[] {
  const out = runs.map((run) => ({ ...run }));
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(Math.max(1, out.length));
    const run = out[at];
    if (run === undefined) return [{ task: random.below(tasks), steps: 1 + random.below(50) }];
    switch (random.below(4)) {
      case 0:
        run.steps = Math.max(1, run.steps + random.below(11) - 5);
        break;
      case 1:
        if (out.length > 1) out.splice(at, 1);
        break;
      case 2: {
        const first = 1 + random.below(run.steps);
        const other = { task: (run.task + 1 + random.below(Math.max(1, tasks - 1))) % tasks, steps: 1 + random.below(50) };
        out.splice(at, 1, { task: run.task, steps: first }, other, { task: run.task, steps: Math.max(1, run.steps - first) });
        break;
      }
      default: {
        const next = out[at + 1];
        if (next !== undefined) out.splice(at, 2, next, run);
      }
    }
  }
  return out;
}
