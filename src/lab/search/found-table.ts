/** Findings of many schedules, counted. */
import type { Engine } from './engine.ts';
import type { FindingId, FindingInfo } from './findings.ts';
import type { Run } from './token.ts';

/** A finding, and how often it was made. */
export interface FoundInBlock extends FindingInfo {
  /** Schedules with it. */
  schedules: number;
  /** Times it was made. */
  count: number;
  /** The first schedule with it: its number, its runs of steps. */
  first: number;
  runs: readonly Run[];
}

export class FoundTable {
  private readonly found = new Map<FindingId, FoundInBlock>();

  /** Adds what the engine's last schedule found. @param index  number of the schedule */
  add(engine: Engine, index: number): void {
    for (const [i, id] of engine.found.entries()) {
      let known = this.found.get(id);
      if (known === undefined) {
        known = { ...(engine.findings.all[id] as FindingInfo), schedules: 0, count: 0, first: index, runs: engine.segments() };
        this.found.set(id, known);
      }
      known.count++;
      if (engine.found.indexOf(id) === i) known.schedules++;
    }
  }

  list(): FoundInBlock[] {
    return [...this.found.values()];
  }
}

/**
 * Adds findings of another part to `sum`, by signature. The smaller number of the first schedule stays; of equal ones, as parts have
 * that number from the same start, the schedule that comes first as a text: whichever part is added first. @returns those that were new
 */
export function addFound<T extends FoundInBlock>(sum: T[], part: readonly FoundInBlock[], fresh: (finding: FoundInBlock) => T): T[] {
  const out: T[] = [];
  for (const finding of part) {
    const known = sum.find(({ signature }) => signature === finding.signature);
    if (known === undefined) {
      const made = fresh({ ...finding });
      sum.push(made);
      out.push(made);
      continue;
    }
    known.count += finding.count;
    known.schedules += finding.schedules;
    const isTie = finding.first === known.first && JSON.stringify(finding.runs) < JSON.stringify(known.runs);
    if (finding.first < known.first || isTie) {
      known.first = finding.first;
      known.runs = finding.runs;
    }
  }
  return out;
}
