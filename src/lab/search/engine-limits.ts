/** Numbers of the engine that others use too. */

/** Process number of the first task in reports. */
export const FIRST_PID = 101;
/** Kind of a finding that is our own bug: what must hold of KSM in every schedule does not. */
export const BROKEN_BOOKS = 'broken-books';
