/** `--check pages`: what must hold of KSM, looked at while nothing moves. What does not is our bug, and ends the run. */
import { checkKsm } from '../../kernel/mm/ksm-check.ts';
import { ksmCounters } from '../../kernel/mm/ksm-counters.ts';
import { EmulatorBug } from '../../machine/errors.ts';

/** @param when  which trial it is after @throws EmulatorBug that says all that a report of it needs */
export function checkPages(when: string): void {
  const wrong = checkKsm();
  if (wrong.length === 0) return;
  const counters = Object.entries(ksmCounters()).map(([name, value]) => `${name} ${value}`);
  throw new EmulatorBug(`after ${when} KSM's books are wrong: ${wrong.join('; ')} (${counters.join(', ')})`);
}
