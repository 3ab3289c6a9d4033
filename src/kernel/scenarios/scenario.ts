/**
 * What a scenario is: who runs what, from which state, and what must hold afterwards.
 *
 * The same scenario runs in free threads, stepped in one thread, and forced on real threads, so its functions keep to
 * the rules of kernel code: top-level named functions, direct calls, and all shared state in the arena
 * (`staticStorage`), where every task finds it under the same name. Only here may such a function stand as a value.
 * A new scenario is one file beside this one and a line in `index.ts`.
 */

/** How much a schedule or trial has to do. Small integers, so that a token can carry them. */
export interface Workload {
  /** One of the scenario's variants. */
  readonly variant: string;
  /** Number of tasks, within {@link Scenario.taskLimits}. */
  readonly tasks: number;
  /** VMAs per process. */
  readonly vmas: number;
  /** Pages per VMA. */
  readonly pages: number;
  /** Processes beside the one whose exit races. */
  readonly processes: number;
  /** Has ksmd scanned the memory before? */
  readonly scanned: boolean;
  /** Page frames that there are once all is set up; absent: as many as fit, or as the scenario has it. */
  readonly frames?: number;
}

/** One task of a scenario. */
export interface ScenarioTask {
  /** Shown at the head of its column in diagrams, e.g. `scanner`. */
  readonly name: string;
  /**
   * What it does, from start to end, once per schedule or trial. A named function.
   * @param workload  as given to {@link Scenario.setUp}
   * @param index  its place in {@link Scenario.tasks}, which is also its task area
   */
  readonly run: (workload: Workload, index: number) => void;
}

export interface Scenario {
  /** As typed after `--scenario`. */
  readonly name: string;
  /** One line for people. */
  readonly summary: string;
  /** The first one is the default. */
  readonly variants: readonly string[];
  /** Least and most tasks; the least is the default. */
  readonly taskLimits: readonly [number, number];
  /** The workload where nothing else is asked for (`variant` and `tasks` aside). */
  readonly defaults: Omit<Workload, 'variant' | 'tasks'>;
  /** Does it heed {@link Workload.frames}? */
  readonly limitsFrames?: boolean;
  /** The tasks of a workload, `workload.tasks` of them. Makes no access to shared memory. */
  tasks(workload: Workload): readonly ScenarioTask[];
  /**
   * Brings the arena to the state from which the tasks start. Runs alone, in a task area of its own (index
   * {@link SETUP_TASK}), before every trial of a free run and once per stepped campaign, whose engine restores the memory itself.
   */
  setUp(workload: Workload): void;
  /**
   * What does not hold after all tasks are through, a sentence each; empty when all is well. Runs alone, makes no change.
   * A sentence is part of the finding's signature: no addresses, no counts that vary.
   */
  check(workload: Workload): readonly string[];
  /** Gives back what is left of a trial, so that the next {@link setUp} can follow. Runs alone, in free runs only. */
  tearDown(workload: Workload): void;
}

/** Task area in which {@link Scenario.setUp}, `check` and `tearDown` run. */
export const SETUP_TASK = 63;
