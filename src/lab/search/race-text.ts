/** What is said of a data race that machine/stepped/races.ts found. */
import { currentFunction, functionInfo } from '../../machine/shadow-stack.ts';

/**
 * Words for a race of the current task's access with an earlier one.
 * @param otherFn  number of the function that made the earlier one
 * @returns the same key whichever of the two came first
 */
export function raceText(write: boolean, address: number, otherFn: number, otherWrote: boolean): { key: string; line: string } {
  const name = (fn: number) => functionInfo(fn)?.name ?? 'a start';
  const here = `${name(currentFunction())} ${write ? 'writes' : 'reads'}`;
  const there = `${name(otherFn)} ${otherWrote ? 'writes' : 'reads'}`;
  return { key: [here, there].sort().join(', '), line: `data race at 0x${address.toString(16)}: ${there}, then ${here}, in no order` };
}
