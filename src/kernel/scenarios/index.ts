/** All scenarios, by name. */
import { ksmExit } from './ksm-exit.ts';
import { ksmMerge } from './ksm-merge.ts';
import { litmus } from './litmus.ts';
import { mapleRcu } from './maple-rcu.ts';
import { minimal } from './minimal.ts';
import { oom2009 } from './oom-2009.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [ksmExit, ksmMerge, oom2009, minimal, mapleRcu, ...litmus];

/** The scenario of that name, or undefined. */
export function findScenario(name: string): Scenario | undefined {
  return scenarios.find((scenario) => scenario.name === name);
}
