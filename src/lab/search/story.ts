/** A schedule told in words: who runs from where to where, and what the next one is about to do. */
import type { ScenarioTask } from '../../kernel/scenarios/scenario.ts';
import {
  POINT_AWAIT,
  POINT_LOCK,
  POINT_RCU,
  POINT_READ,
  POINT_RLOCK,
  POINT_RMW,
  POINT_RUNLOCK,
  POINT_TRYLOCK,
  POINT_UNLOCK,
  POINT_WRITE,
} from '../../machine/points.ts';
import { functionInfo } from '../../machine/shadow-stack.ts';
import type { HistoryStep } from './history.ts';
import type { Run } from './token.ts';

const WORDS: Record<number, string> = {
  [POINT_READ]: 'reads',
  [POINT_WRITE]: 'writes',
  [POINT_RMW]: 'changes',
  [POINT_LOCK]: 'locks',
  [POINT_RLOCK]: 'locks for reading',
  [POINT_UNLOCK]: 'unlocks',
  [POINT_RUNLOCK]: 'unlocks after reading',
  [POINT_TRYLOCK]: 'tries to lock',
  [POINT_RCU]: 'dereferences',
  [POINT_AWAIT]: 'waits for',
};

/** Functions named per run. */
const NAMED = 6;

function nameOf(fn: number): string {
  return fn === 0 ? 'its start' : (functionInfo(fn)?.name ?? `function ${fn}`);
}

function operation({ kind, address, fn }: HistoryStep): string {
  return `${WORDS[kind] ?? 'touches'} 0x${address.toString(16)} in ${nameOf(fn)}()`;
}

/** One line per run of steps. */
export function tellRuns(tasks: readonly ScenarioTask[], steps: readonly HistoryStep[], runs: readonly Run[]): string[] {
  const width = Math.max(...tasks.map(({ name }) => name.length));
  const lines: string[] = [];
  let at = 0;
  for (const run of runs) {
    const part = steps.slice(at, at + run.steps);
    const first = part[0];
    const last = part.at(-1);
    if (first === undefined || last === undefined) break;
    const functions = [...new Set(part.map(({ fn }) => nameOf(fn)))];
    const named = functions.length > NAMED ? [...functions.slice(0, NAMED - 1), `... ${functions.at(-1)}`] : functions;
    const range = part.length === 1 ? `step ${at + 1}` : `steps ${at + 1}-${at + part.length}`;
    lines.push(`${(tasks[run.task] as ScenarioTask).name.padEnd(width)}  ${range}: ${named.join(', ')}; last it ${operation(last)}`);
    at += run.steps;
  }
  return lines;
}
