/** Steps of recorded workloads, by their names: what each does before the counters are read. */
import { run_store } from '../../kernel/mm/ksm.ts';
import type { Player } from './player.ts';
import { BadCounterVectors } from './workload.ts';

/** A kind of step: the words that it is known by, and what it does. */
type StepKind = readonly [words: RegExp, act: (player: Player, match: RegExpExecArray, survivors: readonly number[]) => void];

function range(a: string, b: string | undefined): number[] {
  return b === undefined ? [Number(a)] : [Number(a), Number(b)];
}

// The first that fits counts.
const KINDS: readonly StepKind[] = [
  [/^settled\b|^after observation/, () => {}],
  [
    /MADV_(UN)?MERGEABLE(?: of (?:the )?(\w+ )?(half|all))?(?: of proc (\d+))?/,
    (player, [, un, , part, process]) =>
      player.advise(part === 'half' ? 'half' : 'all', process === undefined ? -1 : Number(process), un === undefined),
  ],
  [
    /exit of procs? (\d+)(?: and (\d+))?/,
    (player, [, a, b]) => {
      for (const process of range(a as string, b)) player.exit(process);
    },
  ],
  [
    /exit of all/,
    (player) => {
      for (const process of [...player.processes.keys()]) player.exit(process);
      run_store('0');
      run_store('2');
    },
  ],
  [
    /exit of (\d+) of (\d+)/,
    (player, [, gone, all], survivors) => {
      // Which of them is not in the name: those that the row does not list, else the last ones.
      const living = [...player.processes.keys()];
      const stay = survivors.length > 0 ? survivors : living.slice(0, Number(all) - Number(gone));
      for (const process of living) if (!stay.includes(process)) player.exit(process);
    },
  ],
  [/after the fork/, (player) => player.fork()],
  [/the parent wrote to every second page|write to every second page/, (player) => player.writeEverySecond(0)],
  [/different content to every page/, (player) => player.writeAllDifferent()],
  [
    /run=2/,
    () => {
      run_store('2');
    },
  ],
];

/**
 * Does what a step says, ksmd's passes included.
 * @param survivors  the processes that live after it, as far as they were recorded
 * @returns whether a pass may or may not have come before the recorded reading
 * @throws BadCounterVectors for a step that is not known
 */
export function playStep(player: Player, step: string, survivors: readonly number[]): { loose: boolean } {
  for (const [words, act] of KINDS) {
    const match = words.exec(step);
    if (match === null) continue;
    act(player, match, survivors);
    if (/settled|observation/.test(step)) player.settle();
    return { loose: /no scan guaranteed/.test(step) };
  }
  throw new BadCounterVectors(`step "${step}" is not known`);
}
