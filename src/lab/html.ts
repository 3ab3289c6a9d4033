/** Results as one HTML file that needs nothing else. */
import type { KeptReport, Results } from './result-directory.ts';
import type { Summary } from './summary.ts';
import { summaryText } from './summary-text.ts';

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function row(summary: Summary, name: string): string {
  const cells = [
    name,
    summary.scenario,
    summary.variant,
    summary.trials ?? summary.schedules ?? 0,
    summary.seconds.toFixed(1),
    summary.hits.total,
    summary.reports,
  ];
  return `<tr>${cells.map((cell) => `<td>${escaped(String(cell))}</td>`).join('')}</tr>`;
}

function section(report: KeptReport): string {
  const token = report.token === undefined ? '' : `<p>Again: <code>ksmrace replay ${escaped(report.token)}</code></p>`;
  return `<section><h2>${escaped(report.id)}</h2><pre>${escaped(report.text)}</pre><h3>How it came to that</h3><pre>${escaped(report.diagram)}</pre>${token}</section>`;
}

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse}td,th{padding:.25rem .75rem;border-bottom:1px solid #8888;text-align:left}
pre{overflow-x:auto;padding:1rem;border:1px solid #8888;border-radius:.5rem;tab-size:8;line-height:1.3}`;

/**
 * The page.
 * @param totals  sums by scenario and variant
 * @param reports  each distinct one once
 */
export function resultsPage(results: readonly Results[], totals: readonly Summary[], reports: readonly KeptReport[]): string {
  const rows = results.map(({ path, summary }) => row(summary, path)).join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>ksmrace results</title><style>${STYLE}</style></head>
<body><h1>ksmrace results</h1>
<table><tr><th>directory</th><th>scenario</th><th>variant</th><th>trials</th><th>seconds</th><th>hits</th><th>reports</th></tr>
${rows}
</table>
${totals.map((total) => `<pre>${escaped(summaryText(total))}</pre>`).join('\n')}
${reports.map(section).join('\n')}
</body></html>
`;
}
