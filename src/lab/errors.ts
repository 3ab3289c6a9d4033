/** The error that is the user's to mend. */

/** Bad usage, told in one sentence that names the flag and its value (exit code 1). */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** A thread died or hangs, or the emulator broke an invariant of its own (exit code 3). */
export class RunFailed extends Error {
  override name = 'RunFailed';
}
