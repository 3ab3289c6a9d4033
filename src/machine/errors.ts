/** The errors that the machine throws, in one table. The command line turns each into an exit code. */

/** A broken invariant inside the emulator: a bug of ours (exit code 3). */
export class EmulatorBug extends Error {
  override name = 'EmulatorBug';
}

/** The shared memory is used up (exit code 1: the user asked for more than it holds). */
export class ArenaExhausted extends Error {
  override name = 'ArenaExhausted';
  constructor(what: string, bytes: number, arenaBytes: number) {
    super(
      `shared memory exhausted: ${what} needs ${bytes} more bytes and the arena of ${arenaBytes / 2 ** 20} MiB is full; use a larger --arena or fewer VMAs, pages or workers`,
    );
  }
}

/** A worker and the memory it attaches to were built from different struct layouts (exit code 3). */
export class LayoutMismatch extends Error {
  override name = 'LayoutMismatch';
}

/** The run was told to stop while this task waited; unwinds the task, not an error. */
export class RunStopped extends Error {
  override name = 'RunStopped';
  constructor() {
    super('the run was stopped');
  }
}

/** `panic("who: what")` of the emulated kernel: BUG_ON and the like. */
export function panic(message: string): never {
  throw new EmulatorBug(message);
}

/** A user's variant module does not load, lacks its function, throws, or returns nonsense (exit code 1). */
export class VariantError extends Error {
  override name = 'VariantError';
}
