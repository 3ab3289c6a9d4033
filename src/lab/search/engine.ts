/**
 * The engine: plays all tasks of a schedule in this thread and lets a strategy choose at each scheduling point.
 *
 * A task runs as a generator until it reaches a point at which it is not to go on. Its operation there is pending: kind and
 * address are known before it is made. A task whose pending operation is a lock that cannot be had, or a wait for a
 * word that has not changed, is not runnable. When no task is, that is a deadlock.
 *
 * The set-up runs once; each schedule begins by undoing what the one before wrote (machine/stepped).
 * There is one engine per thread, because the points of the kernel code have one place to ask; a new one takes the place of the
 * one before.
 */
import { set_task_comm, task_struct, taskOf } from '../../kernel/include/task_struct.ts';
import { onReport, readReports } from '../../kernel/printk.ts';
import { type Scenario, type ScenarioTask, SETUP_TASK, type Workload } from '../../kernel/scenarios/scenario.ts';
import { bootOptions } from '../../machine/boot.ts';
import { get, set } from '../../machine/door.ts';
import { EmulatorBug } from '../../machine/errors.ts';
import { i32 } from '../../machine/memory.ts';
import { resetRing } from '../../machine/recorder.ts';
import { currentFunction, functionInfo } from '../../machine/shadow-stack.ts';
import { adoptWrites, beginSetUp, saveMemory, undoWrites } from '../../machine/stepped/access.ts';
import { clearHeap, onHeap, saveHeap, undoHeap } from '../../machine/stepped/heap.ts';
import { beginRaces, onRace, sawFree, sawStep } from '../../machine/stepped/races.ts';
import { cacheName } from '../../machine/stepped/slab.ts';
import { CALM, canGoOn, clock, onArrival, STEPS } from '../../machine/stepped/step.ts';
import { AREA_CLOCK, AREA_DEPTH, areaOf, setCurrent } from '../../machine/task-area.ts';
import { BROKEN_BOOKS, FIRST_PID } from './engine-limits.ts';
import { type FindingId, type FindingInfo, Findings } from './findings.ts';
import { NO_PROFILE, oneAfterTheOther } from './in-order.ts';
import type { Observer } from './observer.ts';
import { raceText } from './race-text.ts';
import { Random } from './random.ts';
import type { Profile, Strategy, View } from './strategy.ts';
import { describeStuckTasks } from './stuck.ts';
import { isValidatorMemory, NOT_OF_THE_GRAPH } from './warm-up.ts';

const RECORD = bootOptions().record;
const RACES = bootOptions().races;

/** Steps after which a schedule counts as a livelock, where nothing else is asked for. */
export const DEFAULT_STEP_LIMIT = 20_000;
const MAX_STEPPED_TASKS = 16;
/** Switches that are remembered; a schedule with more of them is replayed by its seed only. */
const MAX_SEGMENTS = 8192;

/** How a schedule ended; `cut`: the strategy gave it up. */
export type Ending = 'done' | 'deadlock' | 'livelock' | 'cut';

type Stepped = Generator<undefined, unknown, undefined>;

/** A run of steps by one task. */
export interface Segment {
  readonly task: number;
  readonly steps: number;
}

export class Engine {
  readonly scenario: Scenario;
  readonly workload: Workload;
  readonly tasks: readonly ScenarioTask[];
  readonly findings = new Findings();
  /** Watches the steps; nobody watching costs nothing. */
  observer: Observer | undefined;
  /** Called at each finding, in the task that made it. */
  onFinding: (() => void) | undefined;
  stepLimit = DEFAULT_STEP_LIMIT;

  // What the last schedule was.
  /** Findings of the schedule, in the order in which they were made; a number may come more than once. */
  readonly found: FindingId[] = [];
  /** Step during which each of {@link found} was made. */
  readonly foundAt: number[] = [];
  ending: Ending = 'done';
  /** Steps that were made. */
  steps = 0;
  /** Changes of the running task; those among them where it could have gone on. */
  switches = 0;
  preemptions = 0;
  /** Steps until only one task was left. */
  contested = 0;

  /** Gives what does not hold after a schedule whatever the scenario; see {@link BROKEN_BOOKS}. */
  private readonly restCheck: (() => readonly string[]) | undefined;
  private readonly view: View;
  private readonly seen = new Int32Array(MAX_STEPPED_TASKS);
  private readonly generators: (Stepped | undefined)[] = [];
  /** Runs of steps by one task: who, and the first step. */
  private readonly segmentTasks = new Int32Array(MAX_SEGMENTS);
  private readonly segmentStarts = new Int32Array(MAX_SEGMENTS);
  private segmentCount = 0;
  /** Preemptions by which each of them began. */
  private readonly segmentPreemptions = new Int32Array(MAX_SEGMENTS);
  private strategy: Strategy | undefined;
  private alwaysAsk = false;
  /** The task that is being started; -1 afterwards. */
  private starting = -1;
  /** Chosen at the last arrival, to run next; -1: not chosen yet. */
  private chosen = -1;
  private readonly reportIds = new Map<number, FindingId>();

  /** Sets the scenario up; the memory as it is then is where each schedule starts. */
  constructor(scenario: Scenario, workload: Workload, restCheck?: () => readonly string[]) {
    this.restCheck = restCheck;
    this.scenario = scenario;
    this.workload = workload;
    this.tasks = scenario.tasks(workload);
    if (this.tasks.length > MAX_STEPPED_TASKS) throw new EmulatorBug(`at most ${MAX_STEPPED_TASKS} tasks can be stepped`);
    this.view = {
      runnable: 0,
      live: 0,
      current: -1,
      step: 0,
      kind: new Int32Array(MAX_STEPPED_TASKS),
      address: new Int32Array(MAX_STEPPED_TASKS),
      calmUntil: 0,
    };
    onArrival((kind, address, seen) => this.arrive(kind, address, seen));
    onReport((slot) => this.kernelReport(slot));
    onHeap(
      (what, _address, write, cache) => this.heapFinding(what, write, cache),
      (object) => {
        if (this.view.current < 0) return;
        if (RACES) sawFree(object);
        this.observer?.freed(this.view.current, object);
        this.strategy?.freed?.(this.view.current, object);
      },
    );
    beginSetUp();
    clearHeap();
    this.runAlone(() => scenario.setUp(workload));
    for (const [t, { name }] of this.tasks.entries()) {
      set_task_comm(taskOf(t), name);
      set(taskOf(t), task_struct.pid, FIRST_PID + t);
    }
    saveMemory();
    saveHeap();
    if (RACES) {
      onRace((write, address, otherFn, otherWrote) => {
        const { key, line } = raceText(write, address, otherFn, otherWrote);
        this.report('data-race', `data race: ${key}`, key, () => [line]);
      });
    }
    if (bootOptions().lockdep !== 'off') this.warmUp();
  }

  /** Lets the validator see each task alone (warm-up.ts). */
  private warmUp(): void {
    const ofTheValidator = isValidatorMemory();
    for (let first = 0; first < this.tasks.length; first++) {
      this.run(oneAfterTheOther(first), new Random(), NO_PROFILE);
      if (this.found.some((id) => !NOT_OF_THE_GRAPH.has((this.findings.all[id] as FindingInfo).kind))) return;
      adoptWrites(ofTheValidator);
    }
  }

  /** Plays one schedule. Its outcome is in the fields above until the next one. */
  run(strategy: Strategy, random: Random, profile: Profile): void {
    const { view, tasks, generators } = this;
    undoWrites();
    undoHeap();
    if (this.found.length > 0) {
      this.found.length = 0;
      this.foundAt.length = 0;
    }
    this.ending = 'done';
    this.switches = 0;
    this.preemptions = 0;
    this.segmentCount = 0;
    this.chosen = -1;
    this.strategy = strategy;
    this.alwaysAsk = strategy.alwaysAsk === true;
    view.current = -1;
    view.live = (1 << tasks.length) - 1;
    if (RACES) beginRaces(tasks.length);
    this.observer?.begin(tasks.length);
    this.startTasks();
    strategy.begin({ random, tasks: tasks.length, profile });
    clock[STEPS] = 0;
    clock[CALM] = 0;
    let step = 0;
    while (view.live !== 0) {
      let task = this.chosen;
      if (task < 0) {
        // The task before has ended, or this is the beginning: nobody has counted the next step yet.
        step = (clock[STEPS] as number) + 1;
        clock[STEPS] = step;
        task = this.chooseNow(step);
        if (task < 0) {
          clock[STEPS] = step - 1;
          this.ending = view.runnable === 0 ? 'deadlock' : 'cut';
          break;
        }
      }
      this.chosen = -1;
      step = clock[STEPS] as number;
      if (step > this.stepLimit) {
        this.ending = 'livelock';
        break;
      }
      if (this.segmentCount < MAX_SEGMENTS) {
        this.segmentTasks[this.segmentCount] = task;
        this.segmentPreemptions[this.segmentCount] = this.preemptions;
        this.segmentStarts[this.segmentCount++] = step;
      }
      view.current = task;
      setCurrent(task);
      if (RACES) sawStep(view.kind[task] as number, view.address[task] as number);
      this.observer?.executed(task, view.kind[task] as number, view.address[task] as number);
      if (strategy.executed !== undefined) strategy.executed(task, view);
      if ((generators[task] as Stepped).next().done) {
        view.live &= ~(1 << task);
        if ((view.live & (view.live - 1)) === 0 && view.live !== 0) this.contested = clock[STEPS] as number;
      }
    }
    this.steps = clock[STEPS] as number;
    this.finish();
  }

  /** The last schedule as runs of steps. */
  segments(): Segment[] {
    const out: Segment[] = [];
    for (let i = 0; i < this.segmentCount; i++) {
      const end = i + 1 < this.segmentCount ? (this.segmentStarts[i + 1] as number) : this.steps + 1;
      out.push({ task: this.segmentTasks[i] as number, steps: end - (this.segmentStarts[i] as number) });
    }
    return out;
  }

  /** The task that runs now; -1 outside of schedules. */
  get current(): number {
    return this.starting >= 0 ? this.starting : this.view.current;
  }

  /** A checker found something in the task that runs now. @param lines  asked for once per signature */
  report(kind: string, title: string, key: string, lines: () => readonly string[]): void {
    this.add(this.findings.idOf(kind, title, key, lines));
  }

  /** Preemptions up to `step` of the last schedule. */
  preemptionsUpTo(step: number): number {
    let i = this.segmentCount - 1;
    while (i > 0 && (this.segmentStarts[i] as number) > step) i--;
    return this.segmentPreemptions[Math.max(0, i)] as number;
  }

  /** Starts every task and lets it come to its first point, so that all pending operations are known. */
  private startTasks(): void {
    const { view, tasks, generators } = this;
    clock[CALM] = 0;
    for (let t = 0; t < tasks.length; t++) {
      this.starting = t;
      setCurrent(t);
      i32[(areaOf(t) + AREA_DEPTH) >> 2] = 0;
      if (RECORD) {
        i32[(areaOf(t) + AREA_CLOCK) >> 2] = 0;
        resetRing();
      }
      const generator = (tasks[t] as ScenarioTask).run(this.workload, t) as unknown as Stepped | undefined;
      generators[t] = generator;
      if (generator === undefined || generator.next().done) view.live &= ~(1 << t);
    }
    this.starting = -1;
  }

  /** A task has come to a point: true takes the CPU away. */
  private arrive(kind: number, address: number, seen: number): boolean {
    const { view } = this;
    const task = this.starting >= 0 ? this.starting : view.current;
    if (task < 0) return false;
    view.kind[task] = kind;
    view.address[task] = address;
    this.seen[task] = seen;
    // In a free run the task would now stand in the lock's queue (tracepoint contention_begin).
    if (kind === 5 && !canGoOn(kind, address, seen)) set(taskOf(task), task_struct.contended, get(taskOf(task), task_struct.contended) + 1);
    if (this.starting >= 0) return true;
    const step = clock[STEPS] as number;
    if (step > this.stepLimit) {
      this.chosen = task;
      return true;
    }
    const next = this.chooseNow(step);
    if (next === task) {
      if (RACES) sawStep(kind, address);
      this.observer?.executed(task, kind, address);
      if (this.strategy?.executed !== undefined) this.strategy.executed(task, view);
      return false;
    }
    if (next >= 0) {
      this.switches++;
      if ((view.runnable & (1 << task)) !== 0) this.preemptions++;
    }
    this.chosen = next;
    // With nobody chosen, the loop of run() must not take this step for a new one.
    if (next < 0) clock[STEPS] = step - 1;
    return true;
  }

  /** Asks the strategy who makes `step`; -1 when nobody can go on. */
  private chooseNow(step: number): number {
    const { view, seen } = this;
    const { kind, address } = view;
    let runnable = 0;
    for (let left = view.live; left !== 0; left &= left - 1) {
      const t = 31 - Math.clz32(left & -left);
      const k = kind[t] as number;
      // Most operations need nothing: locks (4, 5) and waits (10) do.
      if ((k !== 4 && k !== 5 && k !== 10) || canGoOn(k, address[t] as number, seen[t] as number)) runnable |= 1 << t;
    }
    view.runnable = runnable;
    clock[CALM] = 0;
    if (runnable === 0) return -1;
    if ((runnable & (runnable - 1)) === 0 && !this.alwaysAsk) return 31 - Math.clz32(runnable);
    view.step = step;
    view.calmUntil = 0;
    const task = (this.strategy as Strategy).choose(view);
    if (this.observer === undefined && (this.strategy as Strategy).executed === undefined) clock[CALM] = view.calmUntil;
    return task;
  }

  /** Runs the set-up or the check: nobody else is there, so no point is asked about. */
  private runAlone<T>(what: () => T): T {
    this.view.current = -1;
    setCurrent(SETUP_TASK);
    const result = what() as unknown;
    if (typeof (result as Stepped | undefined)?.next !== 'function') return result as T;
    const { done, value } = (result as Generator<undefined, T, undefined>).next();
    if (!done) throw new EmulatorBug('the set-up or the check of the scenario waits for a task');
    return value as T;
  }

  /** Looks at what the schedule left behind. */
  private finish(): void {
    const { found } = this;
    for (let i = 0; i < found.length; i++) if ((found[i] as number) < 0) found[i] = this.reportId(-1 - (found[i] as number));
    if (this.ending === 'done') {
      const broken = this.runAlone(() => this.scenario.check(this.workload));
      for (let i = 0; i < broken.length; i++) {
        const sentence = broken[i] as string;
        this.add(this.findings.idOf('invariant', sentence, sentence, () => []));
      }
      if (this.restCheck === undefined) return;
      for (const sentence of this.runAlone(this.restCheck)) this.add(this.findings.idOf(BROKEN_BOOKS, sentence, sentence, () => []));
      return;
    }
    if (this.ending === 'cut') return;
    const { view } = this;
    if (this.ending === 'deadlock') this.strategy?.deadlocked?.(view);
    const stuck = describeStuckTasks(view.live, this.tasks, view.kind, view.address);
    const title = this.ending === 'deadlock' ? 'deadlock: no task can go on' : `livelock: not through after ${this.stepLimit} steps`;
    this.add(this.findings.idOf(this.ending, title, stuck.key, () => stuck.lines));
  }

  private add(id: FindingId): void {
    this.found.push(id);
    this.foundAt.push(clock[STEPS] as number);
    this.onFinding?.();
  }

  /** A report of the kernel. Its text follows only after this, so a new one gets its number when the schedule is over. */
  private kernelReport(slot: number): void {
    this.add(this.reportIds.get(slot) ?? -1 - slot);
  }

  private reportId(slot: number): FindingId {
    let id = this.reportIds.get(slot);
    if (id === undefined) {
      const report = readReports().find((r) => r.slot === slot);
      if (report === undefined) throw new EmulatorBug(`report ${slot} was counted but never written`);
      id = this.findings.idOf(report.kind, report.title, report.key, () => report.lines);
      this.reportIds.set(slot, id);
    }
    return id;
  }

  private heapFinding(what: string, write: boolean, cache: number): void {
    const fn = functionInfo(currentFunction())?.name ?? 'an unknown function';
    const title =
      what === 'double-free'
        ? `${cacheName(cache)} is freed twice`
        : `${fn} ${write ? 'writes' : 'reads'} a ${cacheName(cache)} that is not live`;
    this.add(this.findings.idOf(what, title, `${cacheName(cache)} in ${fn}`, () => []));
  }
}
