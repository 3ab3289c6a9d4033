/**
 * The shortest schedule with the same finding.
 *
 * 1. What comes after the finding is dropped.
 * 2. What did not happen before it is dropped, and the rest brought into an order with few switches (steps that commute are
 *    swapped).
 * 3. Every run of steps is tried without, and every two runs of one task joined, until nothing can be left out: fewer
 *    preemptions first, then fewer switches, then fewer steps.
 * 4. All schedules with one preemption less are tried, if they are few enough.
 */
import { Bounded } from './bounded.ts';
import { History } from './history.ts';
import { Random } from './random.ts';
import { ReplayRuns } from './replay-runs.ts';
import type { Session } from './session.ts';
import type { Strategy } from './strategy.ts';
import type { Run } from './token.ts';

export interface Minimal {
  readonly runs: readonly Run[];
  readonly preemptions: number;
  readonly switches: number;
  /** Steps up to the finding. */
  readonly steps: number;
  /** Schedules that were tried. */
  readonly tried: number;
}

/** Schedules that step 4 may take. */
const MOST_BOUNDED = 50_000;

interface Outcome {
  runs: Run[];
  preemptions: number;
  switches: number;
  steps: number;
}

export class Minimiser {
  private tried = 0;
  private readonly session: Session;
  private readonly signature: string;
  private readonly random = new Random();

  constructor(session: Session, signature: string) {
    this.session = session;
    this.signature = signature;
  }

  /** @returns undefined when `runs` does not lead to the finding */
  minimise(runs: readonly Run[]): Minimal | undefined {
    let best = this.attempt(runs);
    if (best === undefined) return undefined;
    best = this.reorder(best);
    for (;;) {
      best = this.leaveOut(best);
      const fewer = best.preemptions === 0 ? undefined : this.search(best.preemptions - 1);
      if (fewer === undefined) return { ...best, tried: this.tried };
      best = fewer;
    }
  }

  /** Any schedule with at most `bound` preemptions that makes the finding, if there is one among the first many. */
  search(bound: number): Outcome | undefined {
    const strategy = new Bounded(bound);
    const last = this.tried + MOST_BOUNDED;
    do {
      const outcome = this.play(strategy);
      if (outcome !== undefined) return outcome;
    } while (this.tried < last && strategy.advance());
    return undefined;
  }

  private attempt(runs: readonly Run[]): Outcome | undefined {
    return this.play(new ReplayRuns(runs));
  }

  /** Plays a schedule; the part up to the finding, if it makes it. */
  private play(strategy: Strategy): Outcome | undefined {
    const { engine, profile } = this.session;
    this.tried++;
    engine.run(strategy, this.random, profile);
    const at = engine.found.findIndex((id) => engine.findings.all[id]?.signature === this.signature);
    if (at < 0) return undefined;
    const steps = engine.foundAt[at] as number;
    const runs: Run[] = [];
    let left = steps;
    for (const run of engine.segments()) {
      if (left <= 0) break;
      runs.push({ task: run.task, steps: Math.min(run.steps, left) });
      left -= run.steps;
    }
    return { runs, preemptions: engine.preemptionsUpTo(steps), switches: runs.length - 1, steps };
  }

  /** Step 2. */
  private reorder(best: Outcome): Outcome {
    const { engine } = this.session;
    const history = new History();
    engine.observer = history;
    this.attempt(best.runs);
    engine.observer = undefined;
    let out = best;
    for (let first = 0; first < engine.tasks.length; first++) {
      const outcome = this.attempt(history.pastOf(best.steps, first));
      if (outcome !== undefined && isLess(outcome, out)) out = outcome;
    }
    return out;
  }

  /** Step 3. */
  private leaveOut(start: Outcome): Outcome {
    let best = start;
    for (let again = true; again; ) {
      again = false;
      for (const candidate of shorter(best.runs)) {
        const outcome = this.attempt(candidate);
        if (outcome === undefined || !isLess(outcome, best)) continue;
        best = outcome;
        again = true;
        break;
      }
    }
    return best;
  }
}

function isLess(a: Outcome, b: Outcome): boolean {
  return (a.preemptions - b.preemptions || a.switches - b.switches || a.steps - b.steps) < 0;
}

/** Every way to leave one run out, or to join a run with the next one of its task. */
function* shorter(runs: readonly Run[]): Generator<Run[]> {
  for (let i = 0; i < runs.length; i++) {
    yield runs.filter((_, j) => j !== i);
    const { task, steps } = runs[i] as Run;
    const next = runs.findIndex((run, j) => j > i && run.task === task);
    if (next < 0) continue;
    const joined = runs.filter((_, j) => j !== next);
    joined[i] = { task, steps: steps + (runs[next] as Run).steps };
    yield joined;
  }
}
