/** One schedule again, watched closely: what it found, the diagram, and the schedule in words. */
import { bootOptions } from '../../machine/boot.ts';
import { type FlightRecord, readRing } from '../../machine/recorder.ts';
import { cutTask, diagramOf, subjectOf, type TaskRecords } from '../diagram/from-records.ts';
import type { FindingInfo } from './findings.ts';
import { History } from './history.ts';
import { together } from './observer.ts';
import { Random } from './random.ts';
import { ReplayRuns } from './replay-runs.ts';
import { type Session, type Subject, sessionFor } from './session.ts';
import { tellRuns } from './story.ts';
import { loadStrategy, type Strategy } from './strategy.ts';
import type { Run, SeedSchedule, Token } from './token.ts';
import { TraceHash } from './trace-hash.ts';

export interface ReplayOrder extends Subject {
  readonly schedule: Token['schedule'];
}

export interface Replayed {
  readonly traceHash: string;
  readonly ending: string;
  readonly steps: number;
  readonly switches: number;
  readonly preemptions: number;
  /** First step that did not fit the token; 0 when all did. */
  readonly guessedFrom: number;
  /** The whole schedule, as it came out. */
  readonly runs: readonly Run[];
  /** Distinct findings in order, each with the step that made it. */
  readonly found: readonly (FindingInfo & { step: number })[];
  /** The schedule up to the first finding, in words. */
  readonly story: readonly string[];
  /** Two columns, as kernel developers draw them; empty when nothing was found or no task's part is known. */
  readonly diagram: string;
}

/** The strategy of a token's schedule, with its random stream set. */
export async function strategyOf(schedule: Token['schedule'], random: Random): Promise<Strategy> {
  if (!('strategy' in schedule)) return new ReplayRuns(schedule);
  const { strategy, depth, seed, index } = schedule as SeedSchedule;
  random.seed(seed, index);
  return loadStrategy(strategy, { depth });
}

export async function replay(order: ReplayOrder): Promise<Replayed> {
  const session = await sessionFor(order);
  const { engine, profile } = session;
  const random = new Random();
  const strategy = await strategyOf(order.schedule, random);
  const hash = new TraceHash();
  const history = new History();
  let rings: { reporter: number; records: FlightRecord[][] } | undefined;
  engine.observer = together([hash, history]);
  engine.onFinding = () => {
    if (bootOptions().record) rings ??= { reporter: engine.current, records: engine.tasks.map((_, t) => readRing(t)) };
  };
  engine.run(strategy, random, profile);
  engine.observer = undefined;
  engine.onFinding = undefined;
  const found = new Map<number, FindingInfo & { step: number }>();
  for (const [i, id] of engine.found.entries()) {
    if (!found.has(id)) found.set(id, { ...(engine.findings.all[id] as FindingInfo), step: engine.foundAt[i] as number });
  }
  const first = [...found.values()][0];
  const runs = engine.segments();
  return {
    traceHash: hash.text(),
    ending: engine.ending,
    steps: engine.steps,
    switches: engine.switches,
    preemptions: engine.preemptions,
    guessedFrom: strategy instanceof ReplayRuns ? strategy.guessedFrom : 0,
    runs,
    found: [...found.values()],
    story: tellRuns(engine.tasks, history.steps.slice(0, first?.step), runs),
    diagram: first === undefined || rings === undefined ? '' : drawRings(session, rings.records, rings.reporter, first.title),
  };
}

function drawRings({ engine }: Session, rings: readonly FlightRecord[][], reporter: number, title: string): string {
  if (reporter < 0) return '';
  const subject = subjectOf(rings[reporter] ?? []);
  const tasks: TaskRecords[] = [];
  for (const [index, { name }] of engine.tasks.entries()) {
    const records = cutTask(rings[index] ?? [], subject, index === reporter);
    if (index === reporter) tasks.unshift({ index, name, records });
    else if (records.length > 0) tasks.push({ index, name, records });
  }
  return tasks.length < 2 ? '' : diagramOf(tasks, title);
}
