/** The verdicts of a result in a few lines: per claim and variant, over all sizes. */
import type { Verdict } from '../stats/compare-pairs.ts';
import type { Entry, ExitEntry, OverheadResult } from './result.ts';

/** In fewer blocks with a race than this share, an exit latency says little of the race. */
const RACED_ENOUGH = 0.9;

/** Does the entry say something of exits in the race? */
export function racedEnough(e: ExitEntry): boolean {
  return e.raced >= RACED_ENOUGH;
}

const percent = (x: number): string => `${(100 * x).toFixed(x < 0.1 ? 1 : 0)} %`;

/** `0.9 to 12 %`, or one figure when both are the same. */
function range(values: readonly number[]): string {
  const [least, most] = [percent(Math.min(...values)), percent(Math.max(...values))];
  return least === most ? most : `${least.replace(' %', '')} to ${most}`;
}

function about(verdict: Verdict, entries: readonly Entry[]): string {
  const sizes = entries.map((e) => e.vmas).join(', ');
  if (verdict === 'unclear') return `unclear at ${sizes}`;
  if (verdict === 'no difference')
    return `no difference seen at ${sizes} (it would have been above ${range(entries.map((e) => e.judged?.detectable ?? 0))})`;
  return `${verdict} at ${sizes} VMAs, by ${range(entries.map((e) => Math.abs(e.ratio - 1)))}`;
}

const VERDICTS: readonly Verdict[] = ['slower', 'faster', 'no difference', 'unclear'];

/** What a claim's entries say of one variant; empty when they say nothing. */
export function verdictsOf(entries: readonly Entry[]): string {
  const groups = VERDICTS.map((verdict) => ({ verdict, found: entries.filter((e) => e.judged?.verdict === verdict) }));
  return groups
    .filter(({ found }) => found.length > 0)
    .map(({ verdict, found }) => about(verdict, found))
    .join('; ');
}

/** A line per claim and variant. */
export function inShort(result: OverheadResult): string[] {
  const claims: [string, readonly Entry[]][] = [
    ['iteration', result.iteration],
    ['exit in the race', result.exitLatency.filter(racedEnough)],
    ['organic load, exits', result.throughput],
  ];
  return result.variants
    .filter((variant) => variant !== result.baseline)
    .flatMap((variant) =>
      claims.flatMap(([claim, entries]) => {
        const text = verdictsOf(entries.filter((e) => e.variant === variant));
        return text === '' ? [] : [`  ${variant}, ${claim}: ${text}`];
      }),
    );
}
