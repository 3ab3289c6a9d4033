/** All scenarios, by name. */
import { ksmExit } from './ksm-exit.ts';
import { litmus } from './litmus.ts';
import { minimal } from './minimal.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [ksmExit, minimal, ...litmus];

/** The scenario of that name, or undefined. */
export function findScenario(name: string): Scenario | undefined {
  return scenarios.find((scenario) => scenario.name === name);
}
