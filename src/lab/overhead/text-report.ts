/** The result for people: a table per claim, and intervals drawn with letters. */
import { machineLine } from '../machine-state.ts';
import { isDifference, verdictText } from '../stats/compare-pairs.ts';
import { inShort, racedEnough } from './in-short.ts';
import type { Claim, Condition, Entry, ExitEntry, IterationEntry, OverheadResult, ThroughputEntry } from './result.ts';

/** Below this, there and back, two cores share a cache; above it they are on different sockets or core complexes. */
const NEAR_NS = 220;
/** Slower than any two cores of one machine: one of the two threads was off its core all the time. */
const APART_NS = 2000;

const HEADINGS: Record<Claim, string> = {
  iteration: 'Iteration: ns per VMA of the unmerge pass, without a race',
  exitLatency: 'Exit latency: from mmput to the end of __mmput, while the scanner is in the loop of that mm',
  throughput: 'Throughput of the organic load: the ratio is that of the time per exit',
};

/** Conditions that need a word. */
const NOISY =
  '  The other thread forks the process, and takes and drops references on it, in turns; only the loop over the process is timed.';

/** Columns: the first two to the left, the others to the right, the last to the left again. */
function align(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  const last = widths.length - 1;
  const pad = (cell: string, i: number): string =>
    i < 1 || i === last ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number);
  return rows.map((row) => `  ${row.map(pad).join('  ').trimEnd()}`).join('\n');
}

function conditionText(c: Condition): string {
  return `${c.areas}, ${c.cache}, counter ${c.counter}`;
}

function comparisonCells(e: Entry): string[] {
  if (e.variant === e.baseline) return ['', '', '', 'baseline'];
  if (e.judged === undefined) return ['', '', '', 'too few pairs'];
  return [
    e.ratio.toFixed(4),
    `${e.ciLow.toFixed(4)} .. ${e.ciHigh.toFixed(4)}`,
    e.judged.pHolm < 0.0001 ? '<0.0001' : e.judged.pHolm.toFixed(4),
    verdictText(e.judged) + (e.precise ? '' : ' *') + ('raced' in e && !racedEnough(e as ExitEntry) ? ' !' : ''),
  ];
}

const COMPARISON_HEAD = ['ratio', '95 % interval', 'p (Holm)', 'verdict'];

/** One table. */
function claimTable<E extends Entry>(entries: readonly E[], figures: readonly [head: string, of: (e: E) => string][]): string {
  const rows = [['variant', 'VMAs', ...figures.map(([head]) => head), ...COMPARISON_HEAD]];
  for (const e of entries) rows.push([e.variant, String(e.vmas), ...figures.map(([, of]) => of(e)), ...comparisonCells(e)]);
  return align(rows);
}

const PLOT_WIDTH = 61;

/**
 * Intervals drawn with letters, 1 in the middle: `o` the ratio, `-` its interval, `:` the line of no difference.
 * The scale is the same for all lines.
 */
export function intervalPlot(entries: readonly Entry[]): string {
  const shown = entries.filter((e) => e.judged !== undefined);
  if (shown.length === 0) return '';
  const reach = Math.max(0.005, ...shown.flatMap((e) => [Math.abs(Math.log(e.ciLow)), Math.abs(Math.log(e.ciHigh))]));
  const column = (ratio: number): number => Math.round(((Math.log(ratio) / reach + 1) / 2) * (PLOT_WIDTH - 1));
  const rows = shown.map((e) => {
    const line = new Array<string>(PLOT_WIDTH).fill(' ');
    for (let i = column(e.ciLow); i <= column(e.ciHigh); i++) line[i] = '-';
    line[column(1)] = ':';
    line[column(e.ratio)] = 'o';
    return [`${e.variant}, ${e.vmas} VMAs`, `|${line.join('')}|`, `${((e.ratio - 1) * 100).toFixed(2)} %`];
  });
  const edge = `${((Math.exp(reach) - 1) * 100).toFixed(1)} %`;
  const low = `${((Math.exp(-reach) - 1) * 100).toFixed(1)} %`;
  const scale = low + ' '.repeat(Math.max(1, (PLOT_WIDTH >> 1) - low.length)) + '0'.padEnd((PLOT_WIDTH >> 1) - edge.length + 2) + edge;
  return align([['', scale, ''], ...rows]);
}

function ns(x: number): string {
  return x.toFixed(x < 10 ? 2 : 1);
}

const ITERATION: readonly [string, (e: IterationEntry) => string][] = [
  ['ns/VMA', (e) => ns(e.nsPerVma)],
  ['worst', (e) => ns(e.worstNsPerVma)],
];

/** The same entries with their passes in place of their exits. */
function byPass(entries: readonly ThroughputEntry[]): ThroughputEntry[] {
  return entries.map((e) => {
    const { judged: _exits, passes, ...rest } = e;
    return passes === undefined ? rest : { ...rest, ratio: passes.ratio, ciLow: passes.ciLow, ciHigh: passes.ciHigh, judged: passes };
  });
}

/** Near, far, or not to be told. */
function coresText(pingPongNs: number): string {
  if (pingPongNs > APART_NS) return 'Cores: near or far was not to be told, because other work took turns with the threads.';
  return `Cores: ${pingPongNs.toFixed(0)} ns there and back, ${pingPongNs < NEAR_NS ? 'near' : 'far'}.`;
}

/** The whole result as text. */
export function overheadText(result: OverheadResult): string {
  const out: string[] = [];
  if (result.unsound.length > 0) {
    const where = result.aa.filter((a) => isDifference(a.judged.verdict)).map((a) => `${a.claim}, ${a.vmas} VMAs`);
    out.push(`UNSOUND: the baseline measured against itself shows a "difference" (${where.join('; ')}), so nothing below counts.`, '');
  }
  const section = (claim: Claim, entries: readonly Entry[], table: string): void => {
    if (entries.length === 0) return;
    out.push(HEADINGS[claim]);
    out.push(table, intervalPlot(entries), '');
  };
  section('iteration', result.iteration, claimTable(result.iteration, ITERATION));
  for (const condition of new Set(result.conditions.map((e) => conditionText(e.condition)))) {
    const entries = result.conditions.filter((e) => conditionText(e.condition) === condition);
    out.push(`Iteration, ${condition}`);
    if (entries.some((e) => e.condition.counter === 'noisy')) out.push(NOISY);
    out.push(claimTable(entries, ITERATION), intervalPlot(entries), '');
  }
  section(
    'exitLatency',
    result.exitLatency,
    claimTable(result.exitLatency, [
      ['median us', (e) => ns(e.medianUs)],
      ['99 % us', (e) => ns(e.p99Us)],
      ['worst us', (e) => ns(e.worstUs)],
      ['waiting us', (e) => ns(e.lockWaitUs)],
      ['scanner left us', (e) => ns(e.scannerLeavesUs)],
      ['in loop', (e) => `${(100 * e.inLoop).toFixed(0)} %`],
    ]),
  );
  section('throughput', result.throughput, claimTable(result.throughput, [['exits/s', (e) => e.exitsPerSecond.toFixed(0)]]));
  if (result.throughput.length > 0) {
    const passes = byPass(result.throughput);
    out.push(
      'The same load: the ratio is that of the time per pass',
      claimTable(passes, [['passes/s', (e) => e.passesPerSecond.toFixed(0)]]),
    );
    out.push(intervalPlot(passes), '');
  }
  const short = inShort(result);
  if (short.length > 0) out.push(`In short, against ${result.baseline}${result.unsound.length > 0 ? ' (UNSOUND)' : ''}:`, ...short, '');
  const alarms = result.aa.filter((a) => isDifference(a.judged.verdict)).length;
  out.push(`A/A: ${result.aa.length} runs of the baseline against itself, ${alarms} with a "difference".`);
  const restless = result.aa.filter((a) => !a.settled).length;
  if (restless > 0)
    out.push(`Warm-up: in ${restless} of ${result.aa.length} experiments the times had not settled when the measurement began.`);
  if (result.pingPongNs !== undefined) out.push(coresText(result.pingPongNs));
  out.push(machineLine(result.machine));
  if (
    [result.iteration, result.conditions, result.exitLatency, result.throughput].flat().some((e) => e.judged !== undefined && !e.precise)
  ) {
    out.push(
      `* The machine was too noisy for the precision asked for: not every interval here is within plus or minus ${100 * result.precision} %.`,
    );
  }
  if (result.exitLatency.some((e) => e.judged !== undefined && !racedEnough(e))) {
    out.push('! In more than a tenth of the blocks no exit began while the scanner was in the loop: this says little of the race.');
  }
  if (!result.unfinished && result.machine.seconds > 1.2 * result.secondsAsked + 1) {
    out.push(`The least number of pairs took ${result.machine.seconds.toFixed(0)} s, longer than the ${result.secondsAsked} s asked for.`);
  }
  if (result.unfinished) out.push('UNFINISHED: stopped early; these are the figures up to then.');
  return out.join('\n');
}
