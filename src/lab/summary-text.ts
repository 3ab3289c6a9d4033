/** A summary for a person, as it is printed and as `summary.txt` holds it. */
import { observation, percent } from './observation.ts';
import { rounds, roundsWithReport, type Summary } from './summary.ts';

function grouped(value: number, digits = 0): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

function share(part: number, whole: number): string {
  return whole === 0 ? '' : ` (${percent(part / whole)} %)`;
}

function rate(count: number, seconds: number): string {
  return seconds > 0 ? grouped(count / seconds, count / seconds < 10 ? 2 : 0) : '0';
}

/** Lines of `name  value`, the names in one column. */
function lines(pairs: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}

/** The columns of the reproducer's table: what organic runs are compared by. */
function organicLines(summary: Summary): (readonly [string, string])[] {
  const { seconds } = summary;
  return [
    ['exits/s', rate(summary.exits, seconds)],
    ['passes/s', rate(summary.passes ?? 0, seconds)],
    ['visits/s', rate(summary.visits, seconds)],
    ['hits/s', rate(summary.hits.total, seconds)],
    ['hits per visit', summary.visits === 0 ? 'no visit' : `${percent(summary.hits.total / summary.visits)} %`],
  ];
}

/** The whole text; ends with the Observation line. */
export function summaryText(summary: Summary): string {
  const what = summary.schedules === undefined ? 'trials' : 'schedules';
  const settings = Object.entries(summary.settings ?? {}).map(([name, value]) => `${name} ${value}`);
  const head = [`${summary.command} ${summary.scenario}`, `variant ${summary.variant}`, ...settings, `seed ${summary.seed}`].join(', ');
  const { hits } = summary;
  const pairs: (readonly [string, string])[] = [
    [what, `${grouped(rounds(summary))} in ${summary.seconds.toFixed(summary.seconds < 10 ? 2 : 1)} s, ${grouped(summary.perSecond)}/s`],
    ['hits', `${grouped(hits.total)}${share(hits.total, rounds(summary))}`],
    ['  slot left behind', grouped(hits.slotLeftBehind)],
    ['  destroyed while waiting', grouped(hits.destroyedWhileWaiting)],
    ['  cursor window', grouped(hits.cursorWindow)],
    ...(summary.settings?.shape === 'organic' ? organicLines(summary) : []),
    ...(summary.killed === undefined ? [] : [['killed', grouped(summary.killed)] as const]),
    ['reports', `${grouped(summary.reports)}, ${summary.signatures.length} distinct`],
  ];
  const out = [head, ...lines(pairs)];
  for (const { title, count, first, token } of summary.signatures) {
    const where = first.trial === undefined ? `schedule ${grouped(first.schedule ?? 0)}` : `trial ${grouped(first.trial)}`;
    out.push(`    ${title}: ${grouped(count)}, first in ${where} after ${first.seconds.toFixed(2)} s`);
    if (token !== undefined) out.push(`    again: ksmrace replay ${token}`);
  }
  if (summary.partial) out.push('  stopped before the end');
  if (summary.failure !== undefined) out.push(`  failed: ${summary.failure}`);
  out.push(observation(summary.scenario, roundsWithReport(summary), rounds(summary)));
  return out.join('\n');
}
