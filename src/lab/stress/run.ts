/**
 * Stress from the command line's side: a conductor thread for each world, their progress and results added up.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import * as Comlink from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { addHits, noHits } from '../summary.ts';
import type { Conductor } from './conductor.ts';
import type { Counts, Failure, Finding, Progress, StressOptions, WorldOrder, WorldResult } from './orders.ts';
import { rolesOf } from './roles.ts';

/** All worlds together. */
export interface StressResult extends WorldResult {
  /** Threads that played tasks. */
  threads: number;
}

export interface StressHooks {
  /** Called some times a second. */
  progress?: (progress: Progress, seconds: number) => void;
  /** Ends the run early when it is aborted. */
  signal?: AbortSignal;
}

/** Between two looks at the progress, ms. */
const LOOK_MS = 250;
/** A conductor that has not answered so long after a stop is ended. */
const PATIENCE_MS = 3000;

/** Sum of counts. */
export function addCounts(all: readonly Counts[]): Counts {
  const sum: Counts = { trials: 0, exits: 0, passes: 0, killed: 0, visits: 0, hits: { ...noHits }, trialsWithReport: 0, reports: 0 };
  for (const one of all) {
    for (const field of ['trials', 'exits', 'passes', 'killed', 'visits', 'trialsWithReport', 'reports'] as const) sum[field] += one[field];
    sum.hits = addHits(sum.hits, one.hits);
  }
  return sum;
}

/** Findings of several worlds by id, counts added up, the first in time kept. */
export function addFindings(all: readonly (readonly Finding[])[]): Finding[] {
  const byId = new Map<string, Finding>();
  for (const finding of all.flat()) {
    const known = byId.get(finding.id);
    if (known === undefined) byId.set(finding.id, finding);
    else {
      const [first, second] = finding.first.seconds < known.first.seconds ? [finding, known] : [known, finding];
      byId.set(finding.id, { ...first, count: first.count + second.count });
    }
  }
  return [...byId.values()];
}

/** Splits a count over worlds, the first ones getting the rest. */
function part(total: number, worlds: number, world: number): number {
  if (!Number.isFinite(total)) return total;
  return Math.floor(total / worlds) + (world < total % worlds ? 1 : 0);
}

/** The orders of the worlds: one for each pair or cast of a scenario, or one organic one. */
export function worldOrders(options: StressOptions): WorldOrder[] {
  const tasks = rolesOf(options).length;
  const worlds = options.shape === 'organic' ? 1 : Math.min(options.workers / tasks, options.trials);
  const allTasks = worlds * tasks;
  return Array.from({ length: worlds }, (_, world) => ({ ...options, world, allTasks, trials: part(options.trials, worlds, world) }));
}

/** One conductor thread, and how to talk to it. */
class Link {
  readonly remote: Comlink.Remote<Conductor>;
  readonly #worker: Worker;
  /** Answers when the thread died before its work was done. */
  readonly died: Promise<WorldResult>;

  constructor() {
    this.#worker = new Worker(new URL(import.meta.resolve('#workers/conductor')));
    this.remote = Comlink.wrap<Conductor>(nodeEndpoint(this.#worker));
    this.died = new Promise((resolve) => {
      const tell = (message: string): void => {
        const failure: Failure = { blame: 'failed', message };
        resolve({ counts: addCounts([]), findings: [], seconds: 0, stopped: false, failure });
      };
      this.#worker.once('error', (error: Error) => tell(`a conductor thread failed: ${error.message}`));
      this.#worker.once('exit', (code) => tell(`a conductor thread ended with code ${code}`));
    });
  }

  /** Ends the thread, and with it all that it started. */
  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

function firstFailure(results: readonly WorldResult[]): Failure | undefined {
  const failures = results.map((result) => result.failure).filter((failure) => failure !== undefined);
  return failures.find((failure) => failure.blame === 'usage') ?? failures[0];
}

/** Did a deadlock end it? */
export function isHung({ findings }: Pick<WorldResult, 'findings'>): boolean {
  return findings.some(({ kind }) => kind === 'hung-task');
}

/**
 * Runs stress to its end.
 * @returns what came of it; a failure is part of it
 */
export async function runStress(options: StressOptions, hooks: StressHooks = {}): Promise<StressResult> {
  const orders = worldOrders(options);
  const links = orders.map(() => new Link());
  const latest: (Progress | undefined)[] = [];
  const began = performance.now();
  const look = setInterval(() => {
    for (const [i, link] of links.entries()) void link.remote.progress().then((progress) => (latest[i] = progress));
    const known = latest.filter((progress) => progress !== undefined);
    if (known.length > 0 && hooks.progress !== undefined) {
      const sum = {
        counts: addCounts(known.map(({ counts }) => counts)),
        findings: addFindings(known.map(({ findings }) => findings)),
        // The organic shape has one world.
        ksm: known[0]?.ksm,
      };
      hooks.progress(sum, (performance.now() - began) / 1000);
    }
  }, LOOK_MS);
  const stopAll = (): void => links.forEach((link) => void link.remote.stop());
  let giveUp: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    stopAll();
    giveUp = setTimeout(() => links.forEach((link) => void link.close()), PATIENCE_MS);
  };
  if (hooks.signal?.aborted) onAbort();
  hooks.signal?.addEventListener('abort', onAbort);
  try {
    const results = await Promise.all(
      orders.map(async (order, i) => {
        const link = links[i] as Link;
        const result = await Promise.race([link.remote.run(order), link.died]);
        // One world that fails, or that has what it was to find, ends the others.
        if (result.failure !== undefined || isHung(result) || (options.untilReport && result.counts.reports > 0)) stopAll();
        // A conductor that died took its counts along; what was seen last is kept.
        const seen = latest[i];
        return result.failure !== undefined && result.counts.trials === 0 && seen !== undefined ? { ...result, ...seen } : result;
      }),
    );
    return {
      counts: addCounts(results.map(({ counts }) => counts)),
      findings: addFindings(results.map(({ findings }) => findings)),
      seconds: Math.max(...results.map(({ seconds }) => seconds)),
      stopped: hooks.signal?.aborted === true,
      failure: firstFailure(results),
      // Each world has a graph of its own; they all do the same.
      proc: results[0]?.proc,
      threads: orders.length * rolesOf(options).length,
    };
  } finally {
    clearInterval(look);
    clearTimeout(giveUp);
    hooks.signal?.removeEventListener('abort', onAbort);
    await Promise.all(links.map((link) => link.close()));
  }
}

/** Threads of a pair, or what the cores hold of them. */
export function defaultWorkers(shape: StressOptions['shape']): number {
  return shape === 'paired' ? 2 : Math.max(4, availableParallelism());
}
