/** `ksmrace report DIR...`: shows result directories, adds several up. */
import { writeFileSync } from 'node:fs';
import { UsageError } from '../../lab/errors.ts';
import { resultsPage } from '../../lab/html.ts';
import { type KeptReport, type Results, readResults } from '../../lab/result-directory.ts';
import { addSummaries, type Summary } from '../../lab/summary.ts';
import { summaryText } from '../../lab/summary-text.ts';
import type { Command } from '../command.ts';
import { EXIT_NOTHING } from '../exit-codes.ts';

/** One sum for each scenario and variant, in the order of their first appearance. */
function totalsOf(results: readonly Results[]): Summary[] {
  const groups = new Map<string, Summary[]>();
  for (const { summary } of results) {
    const key = JSON.stringify([summary.scenario, summary.variant, summary.trials === undefined]);
    groups.set(key, [...(groups.get(key) ?? []), summary]);
  }
  return [...groups.values()].map((group) => addSummaries(group));
}

/** Each distinct report once. */
function distinct(results: readonly Results[]): KeptReport[] {
  const byId = new Map<string, KeptReport>();
  for (const { reports } of results) for (const report of reports) if (!byId.has(report.id)) byId.set(report.id, report);
  return [...byId.values()];
}

export const command: Command = {
  summary: 'show a result directory, add up several',
  order: 60,
  usage: 'DIR... [options]',
  options: { html: { kind: 'value', value: 'FILE', help: 'also write an HTML page' } },
  examples: [
    ['report results', 'shows the summary, each report and its diagram'],
    ['report machine1 machine2 --json', 'adds up the runs of two machines'],
    ['report results --html results.html', 'writes a page that needs nothing else'],
  ],
  positionals: ['DIR...'],
  async run(args, out) {
    args.positional(0, 'DIR');
    const same = args.positionals.find((path, i) => args.positionals.indexOf(path) !== i);
    if (same !== undefined) throw new UsageError(`${same} is named twice: its trials would count twice`);
    const results = args.positionals.map(readResults);
    const totals = totalsOf(results);
    const reports = distinct(results);
    const file = args.text('html');
    if (file !== undefined) {
      try {
        writeFileSync(file, resultsPage(results, totals, reports));
      } catch (error) {
        throw new UsageError(`--html ${file} can't be written: ${(error as Error).message}`);
      }
    }
    out.object(totals.length === 1 ? totals[0] : { totals });
    if (out.json) return EXIT_NOTHING;
    for (const total of totals) out.result(summaryText(total));
    for (const report of reports) {
      out.say(`\n${out.style('bold', report.id)}\n`);
      out.say(report.text);
      if (report.diagram !== '') out.say(`\n${report.diagram}`);
    }
    return EXIT_NOTHING;
  },
};
