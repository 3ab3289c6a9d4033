/** All scenarios, by name. */
import { minimal } from './minimal.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [minimal];

/** The scenario of that name, or undefined. */
export function findScenario(name: string): Scenario | undefined {
  return scenarios.find((scenario) => scenario.name === name);
}
