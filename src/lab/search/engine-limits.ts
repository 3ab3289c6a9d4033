/** Numbers of the engine that others use too. */

/** Process number of the first task in reports. */
export const FIRST_PID = 101;
