/** What the overhead lab's main thread and its two threads say to each other. Data only: errors travel as text. */
import type { BootOptions } from '../../machine/boot.ts';
import type { Condition } from './result.ts';

/** Which thread. It is also the number of its task area. */
export type Side = number;
/** Runs the unmerge pass; the toggler of the organic load. */
export const SCANNER: Side = 0;
/** Processes live and exit here; writes mm_users when the counter is to be noisy; a forker of the organic load. */
export const EXITER: Side = 1;
/** The organic load has further threads: ksmd, and more forkers. */
export const KSMD: Side = 2;
export const FORKERS: readonly Side[] = [EXITER, 3, 4, 5];
export const ORGANIC_THREADS = 6;

export interface OverheadThreadData {
  boot: Partial<BootOptions>;
  side: Side;
}

/** The paces of the organic load: all times in ms, 0: no sleep. */
export interface OrganicLoad {
  /** Mean times from a process's last page to its exit, and from there to the next fork. */
  lifeMs: number;
  restMs: number;
  /** How long `run` stays 1 before the toggler has everything unmerged. */
  mergeMs: number;
  /** ksmd's sleep between two batches. */
  ksmdMs: number;
}

/** A request to a thread. Requests to all sides of one block go out together; the sides meet in shared memory. */
export type Request =
  | { do: 'make'; vmas: number; condition: Condition }
  | { do: 'drop' }
  | { do: 'iterate'; variant: string; nanoseconds: number; condition: Condition }
  | { do: 'noise'; mm: number }
  | { do: 'scan-exits'; variant: string }
  | { do: 'exit-exits'; vmas: number; places: readonly number[]; loopNs: number }
  | { do: 'organic-ksmd'; sleepMs: number }
  | { do: 'organic-end' }
  | { do: 'organic-toggle'; variant: string; load: OrganicLoad; ready: number }
  | { do: 'organic-fork'; vmas: number; lives: number; load: OrganicLoad; seed: number; ready: number }
  | { do: 'ping-pong'; rounds: number };

export interface ExitSamples {
  /** From mmput to its return, us. */
  latencyUs: number[];
  /** Of that, waiting for mmap_lock, us. */
  lockWaitUs: number[];
  /** From mmput until the scanner gave mmap_lock up, us; 0 when it had before. */
  scannerLeavesUs: number[];
}

/** What the requests are answered with. */
export interface Answers {
  make: { mm: number };
  drop: Record<string, never>;
  iterate: { passNs: number };
  noise: { writes: number; forks: number };
  'scan-exits': { passes: number };
  /** `inLoop`: share of all exits that began while the scanner was in the loop. */
  'exit-exits': ExitSamples & { inLoop: number };
  'organic-ksmd': Record<string, never>;
  'organic-end': Record<string, never>;
  'organic-toggle': { passes: number; seconds: number };
  'organic-fork': { begunNs: number; endedNs: number };
  'ping-pong': { ns: number };
}

/** A thread's reply. */
export type Reply =
  | { ready: SharedArrayBuffer }
  | { answer: Answers[keyof Answers] }
  | { failed: { name: string; message: string; stack: string } };
