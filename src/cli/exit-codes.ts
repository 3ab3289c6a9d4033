/** Exit codes, as other programs rely on them. */

/** Nothing found, or as expected with `--expect`. */
export const EXIT_NOTHING = 0;
/** Bad usage: a flag, a value, a file of the user's. */
export const EXIT_USAGE = 1;
/** A report was found, or not as expected with `--expect`. */
export const EXIT_FOUND = 2;
/** The emulator itself failed. */
export const EXIT_FAILED = 3;
