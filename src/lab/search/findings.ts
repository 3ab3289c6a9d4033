/** What schedules found, counted by signature. A finding has a number while the campaign runs, and a signature for good. */

export interface FindingInfo {
  /** e.g. `suspicious-rcu-usage`, `deadlock`, `invariant`. */
  readonly kind: string;
  /** One line for people. */
  readonly title: string;
  /** The same for the same bug, on every machine: kind and place. */
  readonly signature: string;
  /** Lines for people: stacks, held locks, the kernel's report. */
  lines: readonly string[];
}

/** Number of a finding: index into {@link Findings.all}. */
export type FindingId = number;

export class Findings {
  readonly all: FindingInfo[] = [];
  private readonly ids = new Map<string, FindingId>();

  /** The finding with this signature; made when new. @param lines  called only then */
  idOf(kind: string, title: string, key: string, lines: () => readonly string[]): FindingId {
    const signature = `${kind}: ${key}`;
    let id = this.ids.get(signature);
    if (id === undefined) {
      id = this.all.push({ kind, title, signature, lines: lines() }) - 1;
      this.ids.set(signature, id);
    }
    return id;
  }
}
