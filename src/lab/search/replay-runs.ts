/**
 * Plays given runs of steps again, as far as they fit. Where one does not (its task is through, or cannot go on), the running task
 * goes on, or else the first that can, until the one that is meant can go on again. After the last run nobody is
 * preempted any more.
 */
import { lowestBit } from './bits.ts';
import type { Strategy } from './strategy.ts';
import type { Run } from './token.ts';

export class ReplayRuns implements Strategy {
  /** First step at which the runs did not fit; 0 when they all did. */
  guessedFrom = 0;
  private readonly runs: readonly Run[];
  private at = 0;
  private left = 0;

  constructor(runs: readonly Run[]) {
    this.runs = runs;
  }

  begin(): void {
    this.guessedFrom = 0;
    this.at = 0;
    this.left = this.runs[0]?.steps ?? 0;
  }

  choose({ runnable, live, current, step }: { runnable: number; live: number; current: number; step: number }): number {
    while (this.at < this.runs.length) {
      const { task } = this.runs[this.at] as Run;
      if (this.left > 0 && (runnable & (1 << task)) !== 0) return task;
      if (this.left > 0) {
        if (this.guessedFrom === 0) this.guessedFrom = step;
        if ((live & (1 << task)) !== 0) break;
      }
      this.nextRun();
    }
    return current >= 0 && (runnable & (1 << current)) !== 0 ? current : lowestBit(runnable);
  }

  private nextRun(): void {
    this.at++;
    this.left = this.runs[this.at]?.steps ?? 0;
  }

  executed(task: number): void {
    while (this.at < this.runs.length && this.left === 0) this.nextRun();
    const run = this.runs[this.at];
    if (run !== undefined && run.task === task) this.left--;
  }
}
