/**
 * What a thread must know before it loads the rest of the machine.
 *
 * Every worker is an isolate of its own and runs one mode for its whole life. The modules of `machine/`
 * and `kernel/` read these options once, at module evaluation, into module constants that the JIT folds
 * away. So a thread entry calls {@link configureBoot} first and imports everything else dynamically after.
 */

import { setFlagsFromString } from 'node:v8';

// Kernel code is many small functions. V8's own budget is spent half-way through a hot one, and what it does not inline it
// can neither fold nor drop (docs/performance.md). Process-wide, and read whenever a function is compiled.
setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000');
setFlagsFromString('--max-inlined-bytecode-size-small=60');

/** How a task is delayed at scheduling points in a free run. */
export type DelayMode = 'none' | 'random' | 'aimed';

/** `on`: report every distinct finding and go on; `stop`: off after the first one, as the kernel; `off`: no validator. */
export type LockdepMode = 'on' | 'stop' | 'off';

export interface BootOptions {
  /** The shared memory to attach to; absent: a new one of {@link arenaBytes} is made. */
  arena?: SharedArrayBuffer | undefined;
  /** Size of a new arena in bytes, a multiple of 1 MiB. @defaultValue 64 MiB */
  arenaBytes: number;
  /** Delay injection at scheduling points. @defaultValue 'none' */
  delay: DelayMode;
  /** The lock validator. @defaultValue 'on' */
  lockdep: LockdepMode;
  /** Lock classes that the validator can tell apart, at most 65535. Like the next two, read by whoever creates the arena. @defaultValue 8192 */
  lockdepClasses: number;
  /** Entries of its dependency lists, two for each dependency. @defaultValue 32768 */
  lockdepEntries: number;
  /** Chains that it remembers as validated. @defaultValue 65536 */
  lockdepChains: number;
  /** Flight recorder: function calls and events of each task go to its ring. @defaultValue false */
  record: boolean;
  /** Function calls are told to the listener of shadow-stack.ts; slow, for traces. @defaultValue false */
  traceCalls: boolean;
  /** Records per ring, a power of two. Read by whoever creates the arena. @defaultValue 1024 */
  ringRecords: number;
  /** Heap checks (use after free, double free, out of the object). @defaultValue false */
  heapCheck: boolean;
  /** Reference ledger and refcount checks. @defaultValue false */
  refCheck: boolean;
  /** What must hold of KSM is checked whenever nothing moves. @defaultValue false */
  checkPages: boolean;
  /** All tasks in this one thread, switched by an engine at scheduling points. @defaultValue false */
  stepped: boolean;
  /** A recorded schedule is forced upon the threads (forced.ts). @defaultValue false */
  forced: boolean;
  /** Race detection on plain accesses (stepped only). @defaultValue false */
  races: boolean;
  /**
   * The one task that this thread plays for its whole life. Its area is then a constant, which makes everything that is kept
   * per task (shadow stack, ring, held locks, magazines) cheaper. Absent: tasks are switched with setCurrent().
   */
  task?: number | undefined;
  /** Bytes of content that a page of the emulated memory has, a power of two. Read by whoever creates the arena. @defaultValue 4096 */
  pageBytes: number;
  /** File URL of a user's variant module, loaded by the kernel's variant table. */
  variantModule?: string | undefined;
}

const options: BootOptions = {
  arenaBytes: 64 << 20,
  delay: 'none',
  lockdep: 'on',
  lockdepClasses: 8192,
  lockdepEntries: 32768,
  lockdepChains: 65536,
  record: false,
  traceCalls: false,
  ringRecords: 1024,
  heapCheck: false,
  refCheck: false,
  checkPages: false,
  stepped: false,
  pageBytes: 4096,
  forced: false,
  races: false,
};

let sealed = false;

/**
 * Sets the options of this thread. Must run before any other module of the machine is evaluated.
 * @throws Error when the machine has read its options already.
 */
export function configureBoot(wanted: Partial<BootOptions>): void {
  if (sealed) throw new Error('configureBoot() came too late: this thread has attached to its memory already');
  Object.assign(options, wanted);
}

/** The options, fixed from now on. For the modules of `machine/` and `kernel/` only. */
export function bootOptions(): Readonly<BootOptions> {
  sealed = true;
  return options;
}
