/** All scenarios, by name. */
import { ksmExit } from './ksm-exit.ts';
import { minimal } from './minimal.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [ksmExit, minimal];

/** The scenario of that name, or undefined. */
export function findScenario(name: string): Scenario | undefined {
  return scenarios.find((scenario) => scenario.name === name);
}
