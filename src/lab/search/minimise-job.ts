/** Minimising as a job of a search thread: from a token's schedule, or from nothing but the signature. */
import { type Minimal, Minimiser } from './minimise.ts';
import { Random } from './random.ts';
import { strategyOf } from './replay.ts';
import { type Subject, sessionFor } from './session.ts';
import type { Token } from './token.ts';

export interface MinimiseOrder extends Subject {
  readonly schedule: Token['schedule'];
  /** The finding to keep; absent: the first one of the schedule. */
  readonly signature?: string;
  /** When the schedule does not lead there: look for one with at most so many preemptions. @defaultValue not at all */
  readonly searchBound?: number;
}

export interface Minimised {
  readonly signature: string;
  readonly minimal: Minimal;
}

/** @returns undefined when the schedule does not make the finding */
export async function minimise(order: MinimiseOrder): Promise<Minimised | undefined> {
  const session = await sessionFor(order);
  const { engine, profile } = session;
  const random = new Random();
  engine.run(await strategyOf(order.schedule, random), random, profile);
  const signature = order.signature ?? engine.findings.all[engine.found[0] ?? -1]?.signature;
  if (signature === undefined) return undefined;
  const minimiser = new Minimiser(session, signature);
  const minimal = minimiser.minimise(engine.segments());
  if (minimal !== undefined) return { signature, minimal };
  const other = order.searchBound === undefined ? undefined : minimiser.search(order.searchBound);
  const found = other === undefined ? undefined : minimiser.minimise(other.runs);
  return found === undefined ? undefined : { signature, minimal: found };
}
