/** The steps of a schedule as a partial order: every step with its vector clock. For minimising and for telling. */
import { currentFunction } from '../../machine/shadow-stack.ts';
import { lifetimeOf, reads } from './dependence.ts';
import type { Observer } from './observer.ts';
import type { Run } from './token.ts';

/** One step. */
export interface HistoryStep {
  readonly task: number;
  readonly kind: number;
  readonly address: number;
  /** Shadow-stack number of the function that made it. */
  readonly fn: number;
  /** How many steps of each task happened before it, itself included. */
  readonly clock: Int32Array;
}

export class History implements Observer {
  readonly steps: HistoryStep[] = [];
  private tasks = 0;
  private clocks: Int32Array[] = [];
  private readonly written = new Map<number, Int32Array>();
  private readonly readSince = new Map<number, Int32Array>();

  begin(tasks: number): void {
    this.tasks = tasks;
    this.steps.length = 0;
    this.clocks = Array.from({ length: tasks }, () => new Int32Array(tasks));
    this.written.clear();
    this.readSince.clear();
  }

  executed(task: number, kind: number, address: number): void {
    const clock = this.clocks[task] as Int32Array;
    clock[task] = (clock[task] as number) + 1;
    this.touch(clock, address, reads(kind));
    const lifetime = lifetimeOf(address);
    if (lifetime !== 0) this.touch(clock, lifetime, true);
    this.steps.push({ task, kind, address, fn: currentFunction(), clock: clock.slice() });
  }

  freed(task: number, object: number): void {
    const clock = this.clocks[task] as Int32Array;
    this.touch(clock, lifetimeOf(object), false);
    const last = this.steps.at(-1);
    if (last !== undefined) this.steps[this.steps.length - 1] = { ...last, clock: clock.slice() };
  }

  private touch(clock: Int32Array, address: number, read: boolean): void {
    const written = this.written.get(address);
    if (written !== undefined) join(clock, written);
    const since = this.readSince.get(address);
    if (read) {
      if (since === undefined) this.readSince.set(address, clock.slice());
      else join(since, clock);
      return;
    }
    if (since !== undefined) join(clock, since);
    this.written.set(address, clock.slice());
    this.readSince.delete(address);
  }

  /**
   * The past of step `at` (counted from 1) in an order with few switches, that begins with task `first`: of each task only
   * what happened before that step.
   */
  pastOf(at: number, first: number): Run[] {
    const end = this.steps[at - 1];
    if (end === undefined) return [];
    const own = Array.from({ length: this.tasks }, (_, t) => this.steps.filter((s) => s.task === t).slice(0, end.clock[t] as number));
    const done = new Int32Array(this.tasks);
    const ready = (t: number): boolean => {
      const next = own[t]?.[done[t] as number];
      return next?.clock.every((n, u) => (u === t ? true : n <= (done[u] as number))) ?? false;
    };
    const runs: { task: number; steps: number }[] = [];
    for (let task = first; ; ) {
      if (!ready(task)) {
        task = done.findIndex((_, t) => ready(t));
        if (task < 0) return runs;
      }
      const last = runs.at(-1);
      if (last?.task === task) last.steps++;
      else runs.push({ task, steps: 1 });
      done[task] = (done[task] as number) + 1;
    }
  }
}

function join(into: Int32Array, from: Int32Array): void {
  for (let t = 0; t < into.length; t++) if ((from[t] as number) > (into[t] as number)) into[t] = from[t] as number;
}
