/**
 * What threads are told and what they answer: plain data, because it crosses thread borders. Types only, so that an entry
 * can import it before the machine is set up.
 */
import type { KsmCounters } from '../../kernel/mm/ksm-counters.ts';
import type { Workload } from '../../kernel/scenarios/scenario.ts';
import type { BootOptions, DelayMode } from '../../machine/boot.ts';
import type { HitCounts } from '../summary.ts';

export type Shape = 'paired' | 'organic' | 'scenario';
export type Scanned = 'yes' | 'no' | 'mix';

/** One step of the toggler: writes `value` to `run`, then sleeps. */
export interface ToggleStep {
  value: number;
  ms: number;
}

/** What the shape `scenario` plays. */
export interface Play {
  scenario: string;
  workload: Workload;
  /** Names of its tasks, in their order. */
  tasks: readonly string[];
}

/** The checkers beside the lock validator. */
export interface Checks {
  /** Use after free, double free, reads of what nobody wrote, accesses beyond the object, leaks by allocator. */
  heap: boolean;
  /** Counts that cannot be right, and the ledger of who took and who dropped each. */
  refs: boolean;
  /** KSM's counters, lists and trees against the page tables, whenever nothing moves. */
  pages: boolean;
}

/** What the user asked for. */
export interface StressOptions {
  shape: Shape;
  /** With the shape `scenario`, which has no use for `scanned`, `toggle`, `life` and `rest`. */
  play?: Play | undefined;
  /** Name of a variant. */
  variant: string;
  /** File URL of the user's variant; `variant` is its name in summaries then. */
  variantModule?: string | undefined;
  vmas: number;
  /** Touched pages per process, spread over its areas. */
  pages: number;
  /** Bytes that a process writes to each page it touches; 0: one number, which needs no memory. */
  pageBytes: number;
  /** Page frames that there are; 0: as many as fit. */
  frames: number;
  seed: number;
  /** Stop after this time; Infinity: no limit. */
  seconds: number;
  /** Stop after this many trials; Infinity: no limit. */
  trials: number;
  /** Threads, in worlds of their own: two a pair for paired, one a task for scenario. Forking processes for organic. */
  workers: number;
  delay: DelayMode;
  scanned: Scanned;
  toggle: readonly ToggleStep[];
  /** Organic: mean time from a process's last page to its exit, milliseconds. */
  life: number;
  /** Organic: mean time from an exit to the next fork, milliseconds. */
  rest: number;
  lockdep: BootOptions['lockdep'];
  /** Sizes of the validator's tables; what is not given is as in the machine's options. */
  limits: Partial<Pick<BootOptions, 'lockdepClasses' | 'lockdepEntries' | 'lockdepChains'>>;
  checks: Checks;
  /** A task that stands still for so long hangs. */
  hungTaskSeconds: number;
  record: boolean;
  /** MiB. */
  arena: number;
  /** Stop at the first report. */
  untilReport: boolean;
}

/** What one world (one arena, one emulated kernel) is to do. */
export interface WorldOrder extends StressOptions {
  /** 0, 1, ...: which of several worlds. */
  world: number;
  /** Tasks in all worlds together: what the cores are shared by. */
  allTasks: number;
}

/** What a task thread is to do. */
export interface TaskOrder {
  /** Number of its task area. */
  index: number;
  /** The run ends when all of role `process` or `task` are through. */
  role: 'process' | 'task' | 'scanner' | 'ksmd' | 'toggler';
  /** Name of the task (`comm`). */
  comm: string;
  boot: Partial<BootOptions>;
  world: WorldOrder;
}

/** Sums over the tasks of a world (or of all worlds). */
export interface Counts {
  trials: number;
  exits: number;
  passes: number;
  /** Tasks that were killed because no frame was left. */
  killed: number;
  visits: number;
  hits: HitCounts;
  trialsWithReport: number;
  reports: number;
}

/** An error as data. `usage` is the user's to mend (exit code 1), `failed` is ours (3). */
export interface Failure {
  blame: 'usage' | 'failed';
  message: string;
}

/** A distinct report with what led to it. */
export interface Finding {
  id: string;
  kind: string;
  title: string;
  count: number;
  first: { trial: number; seconds: number };
  text: string;
  diagram: string;
  trace: unknown;
}

/** KSM's counters, and all rmap_items: what the first four add up to. */
export type KsmNow = KsmCounters & { rmap_items: number };

export interface Progress {
  counts: Counts;
  /** Distinct reports so far. */
  findings: Finding[];
  /** KSM's counters now, of the organic shape. */
  ksm?: KsmNow | undefined;
}

export interface WorldResult {
  counts: Counts;
  findings: Finding[];
  /** From the first trial to the last, seconds. */
  seconds: number;
  stopped: boolean;
  failure?: Failure | undefined;
  /** The validator's /proc files by name, at the end. */
  proc?: Record<string, string> | undefined;
}
