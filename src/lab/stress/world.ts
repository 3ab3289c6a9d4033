/**
 * One world: an arena with its emulated kernel, a pool with one thread per task, and the eye on them. Runs in a
 * conductor thread (see conductor.ts), whose event loop stays free while the tasks work.
 */
import { Piscina } from 'piscina';
import { reportLeaks } from '../../kernel/kasan.ts';
import { ksmCounters } from '../../kernel/mm/ksm-counters.ts';
import { KSM_VARIANTS, type KsmVariant, set_ksm_variant } from '../../kernel/mm/ksm-variants.ts';
import { set_frame_limit } from '../../kernel/mm/page_alloc.ts';
import { reportsCounted } from '../../kernel/printk.ts';
import { EV_REPORT_LOGGED } from '../../kernel/trace/vocabulary.ts';
import { listen } from '../../machine/announce.ts';
import { bootOptions } from '../../machine/boot.ts';
import { get } from '../../machine/door.ts';
import { arena } from '../../machine/memory.ts';
import { slabInfo } from '../../machine/slab.ts';
import { countLiveTask, stopAllWaits } from '../../machine/wait.ts';
import { captureReport } from './capture.ts';
import { checkPages } from './check-pages.ts';
import { countersOf, sumCounters, taskCounters } from './counters.ts';
import { failureOf } from './failure.ts';
import { readFindings } from './findings.ts';
import type { Counts, Failure, KsmNow, Progress, TaskOrder, WorldOrder, WorldResult } from './orders.ts';
import { type Role, rolesOf } from './roles.ts';
import { elapsed, STAGE_END, STAGE_FINISH, STAGE_RUN, setStage } from './run-state.ts';
import { Watchdog } from './watchdog.ts';

/** How often the conductor looks at its tasks, ms. */
const LOOK_MS = 20;
/** After a stop, tasks may finish their round for so long; then their waits end, and after as long again they are ended. */
const PATIENCE_MS = 400;

const workerFile = import.meta.resolve('#workers/task');

/** A look at KSM while it works. */
function ksmNow(): KsmNow {
  const counters = ksmCounters();
  const { pages_shared, pages_sharing, pages_unshared, pages_volatile } = counters;
  return { ...counters, rmap_items: pages_shared + pages_sharing + pages_unshared + pages_volatile };
}

export class World {
  readonly #order: WorldOrder;
  readonly #roles: Role[];
  readonly #pool: Piscina;
  readonly #watchdog: Watchdog;
  readonly #timers: NodeJS.Timeout[] = [];
  #failure: Failure | undefined;
  #stopped = false;
  #forced = false;
  #hung = false;
  #deadlock = false;
  #destroyed: Promise<void> | undefined;

  constructor(order: WorldOrder) {
    this.#order = order;
    this.#roles = rolesOf(order);
    this.#watchdog = new Watchdog(this.#roles, order);
    const threads = this.#roles.length;
    this.#pool = new Piscina({
      filename: workerFile,
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: 1,
      idleTimeout: 1000,
    });
    // A thread that dies without a task is told here; with one, its task is rejected.
    this.#pool.on('error', (error) => this.#fail({ blame: 'failed', message: `a worker thread failed: ${(error as Error).message}` }));
  }

  /** Runs all tasks to their end. Never rejects: what went wrong is part of the result. */
  async run(): Promise<WorldResult> {
    const order = this.#order;
    const variant = order.variantModule === undefined ? order.variant : 'user';
    if (KSM_VARIANTS.some((known) => known === variant)) set_ksm_variant(variant as KsmVariant);
    // A scenario has variants of its own, and selects them at each set-up.
    else if (order.play === undefined)
      this.#fail({ blame: 'usage', message: `--variant ${order.variant} is none of ${KSM_VARIANTS.join(', ')}` });
    if (order.frames > 0 && order.play === undefined) set_frame_limit(order.frames);
    // What this thread reports itself, on tasks that cannot.
    listen((_event, _object, _address, slot) => captureReport(slot, order, 0), [EV_REPORT_LOGGED]);
    // The pairs of other worlds want the same cores.
    for (let i = this.#roles.length; i < order.allTasks; i++) countLiveTask(1);
    const baseline = slabInfo();
    const tasks = this.#roles.map((role) => this.#play(role));
    const rest = this.#roles.map(({ role }, i) => [role, tasks[i] as Promise<void>] as const);
    this.#timers.push(setInterval(() => this.#look(), LOOK_MS));
    const begun = performance.now();
    await Promise.all(rest.filter(([role]) => role === 'process' || role === 'task').map(([, task]) => task));
    setStage(STAGE_END);
    await Promise.all(rest.filter(([role]) => role !== 'ksmd').map(([, task]) => task));
    const seconds = Math.min(elapsed(), (performance.now() - begun) / 1000);
    stopAllWaits();
    await Promise.all(tasks);
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#failure === undefined && !this.#forced) this.#checkRest(baseline);
    const findings = readFindings(true);
    await (this.#destroyed ?? this.#pool.destroy());
    return { counts: this.#counts(), findings, seconds, stopped: this.#stopped, failure: this.#failure };
  }

  progress(): Progress {
    const ksm = this.#order.shape === 'organic' ? ksmNow() : undefined;
    return { counts: this.#counts(), findings: readFindings(false), ksm };
  }

  /** The trial in which all hang is none that a task counts. */
  #counts(): Counts {
    const counts = sumCounters(reportsCounted());
    return this.#deadlock ? { ...counts, trials: counts.trials + 1, trialsWithReport: counts.trialsWithReport + 1 } : counts;
  }

  /** Ends the run early: soon when the tasks still answer, and in any case within a second. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#end();
  }

  async #play({ index, role, comm }: Role): Promise<void> {
    const { arena: _ours, ...boot } = bootOptions();
    // Who leads the trials of a scenario sets them up in another task's name.
    const only = role === 'task' && index === 0 ? undefined : index;
    const task: TaskOrder = { index, role, comm, boot: { ...boot, arena, task: only }, world: this.#order };
    try {
      const failure = (await this.#pool.run(task)) as Failure | undefined;
      if (failure !== undefined)
        this.#fail({ ...failure, message: failure.blame === 'usage' ? failure.message : `${comm}: ${failure.message}` });
    } catch (error) {
      if (!this.#forced) this.#fail({ blame: 'failed', message: `the thread of ${comm} died: ${(error as Error).message}` });
    }
  }

  /** The first failure counts, except that the user's own comes before what followed from it. */
  #fail(failure: Failure): void {
    if (this.#failure === undefined || (this.#failure.blame === 'failed' && failure.blame === 'usage')) this.#failure = failure;
    stopAllWaits();
    this.#end();
  }

  #end(): void {
    setStage(STAGE_FINISH);
    this.#timers.push(
      setTimeout(() => {
        this.#forced = true;
        stopAllWaits();
      }, PATIENCE_MS),
      setTimeout(() => {
        this.#destroyed = this.#pool.destroy();
      }, 2 * PATIENCE_MS),
    );
  }

  #look(): void {
    const order = this.#order;
    if (this.#roles.every(({ index }) => get(countersOf(index), taskCounters.running) !== 0)) setStage(STAGE_RUN);
    if (elapsed() >= order.seconds || (order.untilReport && reportsCounted() > 0)) setStage(STAGE_FINISH);
    if (this.#hung) return;
    const hung = this.#watchdog.look(performance.now());
    if (hung === undefined || this.#failure !== undefined) return;
    this.#hung = true;
    this.#deadlock = hung.what === 'deadlock';
    if (hung.what === 'loop') this.#fail({ blame: 'failed', message: hung.message });
    else {
      this.#forced = true;
      stopAllWaits();
      this.#end();
    }
  }

  /** What must hold when all tasks are through. */
  #checkRest(baseline: Record<string, number>): void {
    try {
      if (this.#order.checks.pages) checkPages('the last trial');
      this.#checkLeaks(baseline);
    } catch (error) {
      this.#failure = failureOf(error);
    }
  }

  /** Every object must be back: what a trial takes, it gives. A leak is a finding; too few objects are a broken heap. */
  #checkLeaks(baseline: Record<string, number>): void {
    const now = slabInfo();
    reportLeaks(baseline, now);
    const fewer = Object.entries(baseline).filter(([name, live]) => (now[name] ?? 0) < live);
    if (fewer.length === 0) return;
    const text = fewer.map(([name, live]) => `${live - (now[name] ?? 0)} ${name}`).join(', ');
    this.#failure = { blame: 'failed', message: `objects were given back twice: ${text}` };
  }
}
