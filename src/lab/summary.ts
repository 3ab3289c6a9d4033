/** What a run came to: the object that `--json` prints and `summary.json` holds, and sums of several. */

/** Hits by kind; the three exclude each other. */
export interface HitCounts {
  total: number;
  /** The slot had rmap_items when `__ksm_exit` looked. */
  slotLeftBehind: number;
  /** The tree was destroyed between the call of `mmap_read_lock` and its return. */
  destroyedWhileWaiting: number;
  /** The slot had no rmap_items, but the cursor was on it. */
  cursorWindow: number;
}

/** One distinct report. */
export interface Signature {
  /** Names it on every machine, and its folder in a result directory, e.g. `suspicious-rcu-usage-1f0c93aa`. */
  id: string;
  kind: string;
  title: string;
  /** How often it was found. */
  count: number;
  /** Where it was found first: the trial (1 is the first) or the schedule, and seconds after the start. */
  first: { trial?: number; schedule?: number; seconds: number };
  /** Replays it, when it came from a search. */
  token?: string;
}

export interface Summary {
  command: string;
  scenario: string;
  variant: string;
  seed: number;
  node: string;
  cores: number;
  /** Threads that played tasks. */
  workers: number;
  seconds: number;
  /** stress */
  trials?: number;
  /** fuzz, explore */
  schedules?: number;
  /** Trials or schedules per second. */
  perSecond: number;
  /** All reports, repeats included. */
  reports: number;
  signatures: Signature[];
  hits: HitCounts;
  /** Visits of the unmerge pass to an mm. */
  visits: number;
  exits: number;
  /** Unmerge passes. */
  passes?: number;
  /** Tasks that were killed because no page frame was left. */
  killed?: number;
  /** Trials in which at least one report came. */
  trialsWithReport?: number;
  /** How it was run: shape, areas, delays and the like. */
  settings?: Record<string, string | number>;
  /** The run was stopped before its end (Ctrl-C), or still goes on. */
  partial?: boolean;
  /** Why the emulator failed, when it did. */
  failure?: string;
}

export const noHits: Readonly<HitCounts> = { total: 0, slotLeftBehind: 0, destroyedWhileWaiting: 0, cursorWindow: 0 };

/** Sum of two counts. */
export function addHits(a: HitCounts, b: HitCounts): HitCounts {
  return {
    total: a.total + b.total,
    slotLeftBehind: a.slotLeftBehind + b.slotLeftBehind,
    destroyedWhileWaiting: a.destroyedWhileWaiting + b.destroyedWhileWaiting,
    cursorWindow: a.cursorWindow + b.cursorWindow,
  };
}

/** Signatures of several runs by id: counts add up, the earliest finding stays. */
export function addSignatures(...lists: readonly (readonly Signature[])[]): Signature[] {
  const sum = new Map<string, Signature>();
  for (const signature of lists.flat()) {
    const known = sum.get(signature.id);
    if (known === undefined) sum.set(signature.id, { ...signature });
    else {
      known.count += signature.count;
      if (signature.first.seconds < known.first.seconds) known.first = signature.first;
      if (known.token === undefined && signature.token !== undefined) known.token = signature.token;
    }
  }
  return [...sum.values()];
}

/** Trials or schedules: what the run counted. */
export function rounds(summary: Summary): number {
  return summary.trials ?? summary.schedules ?? 0;
}

/** Rounds in which something was reported; never more than there were. */
export function roundsWithReport(summary: Summary): number {
  return Math.min(summary.trialsWithReport ?? summary.reports, rounds(summary));
}

function addOptional(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);
}

/**
 * Sum of runs of the same scenario and variant, e.g. on several machines.
 * @throws RangeError when the list is empty
 */
export function addSummaries(summaries: readonly Summary[]): Summary {
  const [first, ...rest] = summaries;
  if (first === undefined) throw new RangeError('nothing to add up');
  let sum: Summary = { ...first, signatures: addSignatures(first.signatures) };
  for (const other of rest) {
    const merged: Summary = {
      ...sum,
      command: sum.command === other.command ? sum.command : `${sum.command}, ${other.command}`,
      cores: sum.cores + other.cores,
      workers: sum.workers + other.workers,
      seconds: sum.seconds + other.seconds,
      reports: sum.reports + other.reports,
      signatures: addSignatures(sum.signatures, other.signatures),
      hits: addHits(sum.hits, other.hits),
      visits: sum.visits + other.visits,
      exits: sum.exits + other.exits,
    };
    for (const field of ['trials', 'schedules', 'passes', 'killed', 'trialsWithReport'] as const) {
      const value = addOptional(sum[field], other[field]);
      if (value !== undefined) merged[field] = value;
    }
    if (other.partial) merged.partial = true;
    if (merged.failure === undefined && other.failure !== undefined) merged.failure = other.failure;
    sum = merged;
  }
  if (rest.length > 0) delete sum.settings;
  sum.perSecond = sum.seconds > 0 ? rounds(sum) / sum.seconds : 0;
  return sum;
}
