/** A run of stress as a summary and as kept reports. */
import { availableParallelism } from 'node:os';
import type { KeptReport } from '../result-directory.ts';
import type { Signature, Summary } from '../summary.ts';
import type { Finding, Progress, StressOptions } from './orders.ts';
import { isHung, type StressResult } from './run.ts';

/** Toggle steps as they are typed: `1:20ms,2:0ms`. */
export function toggleText(options: StressOptions): string {
  return options.toggle.map(({ value, ms }) => `${value}:${ms}ms`).join(',');
}

/** The checkers that are on, as they are typed. */
function checkText({ heap, refs, pages }: StressOptions['checks']): string {
  return [heap ? 'heap' : '', refs ? 'refs' : '', pages ? 'pages' : ''].filter((name) => name !== '').join(',') || 'none';
}

function settingsOf(options: StressOptions): Record<string, string | number> {
  const { shape, vmas, pages } = options;
  const check = checkText(options.checks);
  const { pageBytes, frames } = options;
  const memory = { ...(pageBytes > 0 ? { 'page bytes': pageBytes } : {}), ...(frames > 0 ? { frames } : {}) };
  if (options.play !== undefined) {
    const { tasks, vmas, pages } = options.play.workload;
    return { tasks, vmas, pages, ...memory, delay: options.delay, check };
  }
  if (shape === 'organic')
    return { shape, vmas, pages, ...memory, toggle: toggleText(options), 'life ms': options.life, 'rest ms': options.rest, check };
  return { shape, vmas, pages, ...memory, scanned: options.scanned, delay: options.delay, check };
}

function toSignature({ id, kind, title, count, first }: Finding): Signature {
  return { id, kind, title, count, first };
}

/**
 * The summary of what was counted.
 * @param threads  that played tasks
 */
export function summarize(
  command: string,
  scenario: string,
  options: StressOptions,
  threads: number,
  progress: Progress,
  seconds: number,
): Summary {
  const { counts, findings } = progress;
  return {
    command,
    scenario,
    variant: options.variant,
    seed: options.seed,
    node: process.version,
    cores: availableParallelism(),
    workers: threads,
    seconds: Math.round(seconds * 1000) / 1000,
    trials: counts.trials,
    perSecond: seconds > 0 ? Math.round(counts.trials / seconds) : 0,
    reports: counts.reports,
    signatures: findings.map(toSignature),
    hits: counts.hits,
    visits: counts.visits,
    exits: counts.exits,
    passes: counts.passes,
    ...(counts.killed > 0 ? { killed: counts.killed } : {}),
    trialsWithReport: Math.min(counts.trialsWithReport, counts.trials),
    settings: settingsOf(options),
  };
}

/** {@link summarize} for a run that is over. */
export function summarizeResult(command: string, scenario: string, options: StressOptions, result: StressResult): Summary {
  const summary = summarize(command, scenario, options, result.threads, result, result.seconds);
  if (result.stopped || result.failure !== undefined || isHung(result)) summary.partial = true;
  if (result.failure !== undefined) summary.failure = result.failure.message;
  return summary;
}

/** A finding as it is kept in a result directory. */
export function keptReport(finding: Finding, env: unknown): KeptReport {
  return { id: finding.id, text: finding.text, diagram: finding.diagram, trace: finding.trace, env };
}
