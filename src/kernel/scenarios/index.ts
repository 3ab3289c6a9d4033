/** All scenarios, by name. */
import { ksmExit } from './ksm-exit.ts';
import { litmus } from './litmus.ts';
import { mapleRcu } from './maple-rcu.ts';
import { minimal } from './minimal.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [ksmExit, minimal, mapleRcu, ...litmus];

/** The scenario of that name, or undefined. */
export function findScenario(name: string): Scenario | undefined {
  return scenarios.find((scenario) => scenario.name === name);
}
