/** What the overhead lab's main thread and its two threads say to each other. Data only: errors travel as text. */
import type { BootOptions } from '../../machine/boot.ts';
import type { Condition } from './result.ts';

/** Which of the two threads. It is also the number of its task area. */
export type Side = 0 | 1;
/** Runs the unmerge pass. */
export const SCANNER: Side = 0;
/** Processes live and exit here; writes mm_users when the counter is to be noisy. */
export const EXITER: Side = 1;

export interface OverheadThreadData {
  boot: Partial<BootOptions>;
  side: Side;
}

/** A request to a thread. Requests to both sides of one block go out together; the sides meet in shared memory. */
export type Request =
  | { do: 'make'; vmas: number; condition: Condition }
  | { do: 'drop' }
  | { do: 'iterate'; variant: string; nanoseconds: number; condition: Condition }
  | { do: 'noise'; mm: number }
  | { do: 'scan-exits'; variant: string }
  | { do: 'exit-exits'; vmas: number; places: readonly number[]; loopNs: number }
  | { do: 'organic-passes'; variant: string }
  | { do: 'organic-exits'; vmas: number; milliseconds: number }
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
  noise: { writes: number };
  'scan-exits': { passes: number };
  /** `inLoop`: share of all exits that began while the scanner was in the loop. */
  'exit-exits': ExitSamples & { inLoop: number };
  'organic-passes': { passes: number };
  'organic-exits': { exits: number; seconds: number };
  'ping-pong': { ns: number };
}

/** A thread's reply. */
export type Reply =
  | { ready: SharedArrayBuffer }
  | { answer: Answers[keyof Answers] }
  | { failed: { name: string; message: string; stack: string } };
