/** What a search thread works on: one scenario with one workload, its engine and its measured profile. */
import type { Scenario, Workload } from '../../kernel/scenarios/scenario.ts';
import { bootOptions } from '../../machine/boot.ts';
import { UsageError } from '../errors.ts';
import { Engine } from './engine.ts';
import { measure } from './profile.ts';
import type { Profile } from './strategy.ts';

export interface Session {
  readonly engine: Engine;
  readonly profile: Profile;
}

/** Which scenario, and how much of it. */
export interface Subject {
  readonly scenario: string;
  readonly workload: Workload;
}

const stepped = (name: string) => new URL(`../../../stepped/kernel/${name}.js`, import.meta.url).href;

/** What must hold of KSM whenever nothing moves, of the stepped kernel. */
async function pageCheck(): Promise<() => readonly string[]> {
  const file = new URL('../../../stepped/kernel/mm/ksm-check.js', import.meta.url).href;
  return ((await import(file)) as { checkKsm: () => readonly string[] }).checkKsm;
}

let session: Session | undefined;
let subject: { name: string; workload: Workload } | undefined;

/**
 * The session of this thread. A thread has one for its whole life, because the set-up runs once in its memory.
 * @throws UsageError for an unknown scenario or variant
 * @throws VariantError when a user's module is of no use
 */
export async function sessionFor(wanted: Subject): Promise<Session> {
  const { scenario: name, workload } = wanted;
  if (session !== undefined) {
    if (JSON.stringify(subject) !== JSON.stringify({ name, workload })) throw new Error('a search thread works on one workload only');
    return session;
  }
  const { scenarios } = (await import(stepped('scenarios/index'))) as { scenarios: readonly Scenario[] };
  const { variantLoaded } = (await import(stepped('mm/ksm-user-variant'))) as { variantLoaded: () => Promise<void> };
  await variantLoaded();
  const scenario = scenarios.find(({ name }) => name === wanted.scenario);
  if (scenario === undefined) throw new UsageError(`there is no scenario ${wanted.scenario}`);
  if (!scenario.variants.includes(wanted.workload.variant)) {
    throw new UsageError(
      `scenario ${wanted.scenario} has no variant ${wanted.workload.variant}: there are ${scenario.variants.join(', ')}`,
    );
  }
  const engine = new Engine(scenario, wanted.workload, bootOptions().checkPages ? await pageCheck() : undefined);
  const profile = measure(engine);
  session = { engine, profile };
  subject = { name, workload };
  return session;
}
