/** Replays a vector by its `ops`: through the emulated locks themselves. */
import { beginSelftest, endSelftest, playSelftest } from '../../kernel/lib/locking-selftest.ts';
import { newSelftest, selftestLockName } from '../../kernel/lib/locking-selftest-locks.ts';
import type { Vector } from './vector.ts';

/** Says that a call gave something else than the vector says. */
export class WrongResult extends Error {
  override name = 'WrongResult';
}

/**
 * Replays all calls of a vector.
 * @param after  called after each call, with its index
 * @returns names of locks by the address of their map, for reading reports
 * @throws WrongResult
 */
export function replayOps(vector: Vector, after: (index: number) => void): (address: number) => string | undefined {
  const test = newSelftest(vector);
  beginSelftest(test);
  try {
    for (let i = 0; i < vector.ops.length; i++) {
      playSelftest(test, i);
      after(i);
      if (test.wrong !== '') throw new WrongResult(test.wrong);
    }
  } finally {
    endSelftest();
  }
  return (address) => selftestLockName(test, address);
}
