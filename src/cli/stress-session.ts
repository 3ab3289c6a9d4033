/** One run of stress with all that a person sees of it: findings as they come, progress, summary, result directory. */
import { UsageError } from '../lab/errors.ts';
import { watchMachine } from '../lab/machine-state.ts';
import { ResultDirectory } from '../lab/result-directory.ts';
import type { Finding, Progress, StressOptions } from '../lab/stress/orders.ts';
import { rolesOf } from '../lab/stress/roles.ts';
import { runStress, type StressResult } from '../lab/stress/run.ts';
import { keptReport, summarize, summarizeResult } from '../lab/stress/summarize.ts';
import type { Summary } from '../lab/summary.ts';
import { onInterrupt } from './interrupt.ts';
import { type Output, thousands } from './output.ts';
import { Watch } from './watch.ts';

export interface Session {
  command: string;
  scenario: string;
  options: StressOptions;
  /** Result directory, if one is wanted. */
  out?: string | undefined;
  /** Show KSM's counters all the time. */
  watch?: boolean;
}

export interface SessionResult {
  summary: Summary;
  result: StressResult;
}

/** Ms between two writings of the summary while the run goes on. */
const FLUSH_MS = 1000;

function progressLine({ counts, findings }: Progress, seconds: number, options: StressOptions): string {
  const of = Number.isFinite(options.trials) ? ` of ${thousands(options.trials)}` : '';
  const rate = seconds > 0 ? thousands(Math.round(counts.trials / seconds)) : '0';
  return `${seconds.toFixed(0)} s  ${thousands(counts.trials)}${of} trials  ${rate}/s  ${thousands(counts.hits.total)} hits  ${thousands(counts.reports)} reports (${findings.length} distinct)`;
}

/** Shows a report and how it came about. */
export function showFinding(out: Output, finding: Finding): void {
  out.say(`${out.style('red', finding.title)}, in trial ${thousands(finding.first.trial)} after ${finding.first.seconds.toFixed(2)} s\n`);
  out.say(finding.text);
  if (finding.diagram !== '') out.say(`\n${finding.diagram}\n`);
}

/** The sentence for the user, with the flag in place of the file's URL. */
function usageMessage(message: string, options: StressOptions): string {
  return options.variantModule === undefined
    ? message
    : `--variant ${options.variant}: ${message.replaceAll(options.variantModule, options.variant)}`;
}

/**
 * Runs it.
 * @throws UsageError when what is wrong is the user's; nothing is left behind then
 */
export async function runSession(session: Session, out: Output): Promise<SessionResult> {
  const { command, scenario, options } = session;
  const directory = session.out === undefined ? undefined : new ResultDirectory(session.out);
  const machine = watchMachine();
  const threads = Math.max(1, options.shape === 'organic' ? rolesOf(options).length : options.workers);
  const shown = new Set<string>();
  const watch = session.watch === true ? new Watch(out) : undefined;
  let flushed = performance.now();
  const env = () => ({ machine: machine(threads), time: new Date().toISOString(), arguments: process.argv.slice(2), options });
  const keep = (findings: readonly Finding[]): void => {
    for (const finding of findings) {
      if (shown.has(finding.id)) continue;
      shown.add(finding.id);
      showFinding(out, finding);
      directory?.writeReport(keptReport(finding, env()));
    }
  };
  const interrupt = onInterrupt((text) => out.say(text));
  let result: StressResult;
  try {
    result = await runStress(options, {
      signal: interrupt.signal,
      progress(progress, seconds) {
        keep(progress.findings);
        if (watch === undefined || progress.ksm === undefined) out.progress(progressLine(progress, seconds, options));
        else watch.show(progress.ksm, seconds, progressLine(progress, seconds, options));
        if (directory === undefined || performance.now() - flushed < FLUSH_MS) return;
        flushed = performance.now();
        directory.writeSummary({ ...summarize(command, scenario, options, threads, progress, seconds), partial: true });
      },
    });
  } catch (error) {
    directory?.discard();
    throw error;
  } finally {
    interrupt.done();
  }
  if (result.failure?.blame === 'usage') {
    directory?.discard();
    throw new UsageError(usageMessage(result.failure.message, options));
  }
  keep(result.findings);
  const summary = summarizeResult(command, scenario, options, result);
  directory?.writeSummary(summary);
  if (result.proc !== undefined) directory?.writeFiles(result.proc);
  return { summary, result };
}
