/**
 * All schedules with at most so many preemptions: M. Musuvathi, S. Qadeer, "Iterative Context Bounding for Systematic
 * Testing of Multithreaded Programs", PLDI 2007. A switch away from a task that could go on costs one; a switch at a lock that
 * cannot be had, or at the end of a task, is free.
 */
import { lowestBit } from './bits.ts';
import type { Strategy, View } from './strategy.ts';

/** A choice that was made, and what else could have been chosen. */
interface Choice {
  task: number;
  open: number;
  /** Preemptions up to here when one of the others is chosen, and with the choice that is made now. */
  usedByOthers: number;
  used: number;
}

/** A part of the tree that is not through. Plain data. */
export interface BoundedState {
  readonly choices: readonly Readonly<Choice>[];
  /** So many of them are never taken back. */
  readonly fixed: number;
}

/** How a part of the tree begins: the n-th question is answered with `task`, all before it as if nobody were preempted. */
export interface Deviation {
  readonly question: number;
  readonly task: number;
}

export class Bounded implements Strategy {
  private readonly bound: number;
  private readonly choices: Choice[];
  private at = 0;
  /** Choices that belong to the part of the tree and are never taken back. */
  private fixed: number;
  private readonly deviation: Deviation | undefined;

  /** @param part  walk only the schedules that begin so, or those that are left; absent: all */
  constructor(bound: number, part?: Deviation | BoundedState) {
    this.bound = bound;
    const rest = part !== undefined && 'choices' in part ? part : undefined;
    this.choices = rest?.choices.map((choice) => ({ ...choice })) ?? [];
    this.fixed = rest?.fixed ?? 0;
    this.deviation = rest === undefined ? (part as Deviation | undefined) : undefined;
  }

  /** What is left, between {@link advance} and the next run. */
  state(): BoundedState {
    return { choices: this.choices.map((choice) => ({ ...choice })), fixed: this.fixed };
  }

  begin(): void {
    this.at = 0;
  }

  choose({ runnable, current }: View): number {
    const known = this.choices[this.at];
    if (known !== undefined) {
      this.at++;
      return known.task;
    }
    const used = this.choices.at(-1)?.used ?? 0;
    const goesOn = current >= 0 && (runnable & (1 << current)) !== 0;
    const task = goesOn ? current : lowestBit(runnable);
    const usedByOthers = goesOn ? used + 1 : used;
    const choice = { task, open: usedByOthers > this.bound ? 0 : runnable & ~(1 << task), usedByOthers, used };
    const { deviation } = this;
    if (deviation !== undefined && this.at <= deviation.question) {
      choice.open = 0;
      this.fixed = this.at + 1;
      if (this.at === deviation.question) {
        choice.task = deviation.task;
        choice.used = usedByOthers;
      }
    }
    this.choices.push(choice);
    this.at++;
    return choice.task;
  }

  /** Preemptions of the run that was made last. */
  get preemptions(): number {
    return this.choices.at(-1)?.used ?? 0;
  }

  /** Goes to the next schedule; false when all are through. */
  advance(): boolean {
    while (this.choices.length > this.fixed) {
      const last = this.choices.at(-1) as Choice;
      if (last.open !== 0) {
        last.task = lowestBit(last.open);
        last.open &= ~(1 << last.task);
        last.used = last.usedByOthers;
        return true;
      }
      this.choices.pop();
    }
    return false;
  }

  /** The other ways that the run made last could have gone: how the tree falls apart into parts. */
  deviations(): Deviation[] {
    return this.choices.flatMap(({ open }, question) => {
      const out: Deviation[] = [];
      for (let left = open; left !== 0; left &= left - 1) out.push({ question, task: lowestBit(left) });
      return out;
    });
  }
}
