/**
 * The reference scenarios: what was recorded of a real kernel, played step by step in one thread.
 *
 * Each is a list of steps of named tasks; ksmd's wake-ups are steps too, as often as they came on the real machine (a wake-up
 * is one pass, because a pass fits into pages_to_scan; after `run` went back to 0 it wakes once more and finds nothing to do).
 */

import { do_exit } from '../../kernel/exit.ts';
import { dup_mm } from '../../kernel/fork.ts';
import { current, task_struct } from '../../kernel/include/task_struct.ts';
import { MADV_MERGEABLE, MADV_UNMERGEABLE, run_store } from '../../kernel/mm/ksm.ts';
import { ksm_scan_thread } from '../../kernel/mm/ksm-scan.ts';
import { KSM, ksm } from '../../kernel/mm/ksm-types.ts';
import { type KsmVariant, set_ksm_variant } from '../../kernel/mm/ksm-variants.ts';
import { do_madvise } from '../../kernel/mm/madvise.ts';
import { set } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { setCurrent } from '../../machine/task-area.ts';
import { makeProcess, REGION, type Region, regionBytes } from './process.ts';
import { type TraceEvent, TraceWriter } from './writer.ts';

/** Tasks by index. */
const TASKS = ['init', 'exit', 'writer', 'ksmd', 'parent', 'child'] as const;
type Task = (typeof TASKS)[number];

/** What a scenario's steps can do. */
interface Stage {
  readonly region: Region;
  readonly writer: TraceWriter;
  /** Runs `step` as `task`, between two marks. */
  as(task: Task, note: string, step: () => void): void;
  /** ksmd wakes up once. */
  ksmd(): void;
  /** A write to the run file. */
  run(value: string): void;
  /** `task` gets a process called `label`, and advises its region to be merged. */
  mergeableProcess(task: Task, label: string): Ptr<'mm_struct'>;
}

type Script = (stage: Stage) => void;

const scripts: Record<string, { does: string; script: Script }> = {
  a: {
    does: 'MERGEABLE, exit; ksmd never ran: the exit that frees its slot',
    script(stage) {
      stage.mergeableProcess('exit', 'A');
      stage.as('exit', 'exit', do_exit);
    },
  },
  b: {
    does: 'scanned twice, exit, unmerge pass: the destroyed tree',
    script(stage) {
      scannedThenExit(stage);
      stage.run('2');
      stage.run('2');
    },
  },
  bk: {
    does: 'as b, but ksmd finds the slot left behind and frees it',
    script(stage) {
      scannedThenExit(stage);
      stage.run('1');
      stage.ksmd();
      stage.run('0');
    },
  },
  bc: {
    does: 'pages_to_scan 1: exit while the cursor is on the mm',
    script(stage) {
      set(ksm, KSM.pages_to_scan, 1);
      stage.mergeableProcess('exit', 'A');
      stage.run('1');
      stage.ksmd();
      stage.run('0');
      stage.ksmd();
      stage.as('exit', 'exit', do_exit);
      stage.run('2');
    },
  },
  d: {
    does: 'fork of a mergeable mm that was never scanned; the child exits, the parent exits',
    script(stage) {
      const mm = stage.mergeableProcess('parent', 'A');
      let child = mm;
      stage.writer.nameNextMm('child');
      stage.as('parent', 'fork', () => {
        child = dup_mm(mm);
      });
      stage.as('child', 'exit', () => {
        set(current(), task_struct.mm, child);
        do_exit();
      });
      stage.as('parent', 'exit', do_exit);
    },
  },
  e0: {
    does: 'MERGEABLE, UNMERGEABLE, exit; never scanned',
    script(stage) {
      const mm = stage.mergeableProcess('exit', 'A');
      stage.as('exit', 'madvise UNMERGEABLE', () => {
        do_madvise(mm, REGION, regionBytes(stage.region), MADV_UNMERGEABLE);
      });
      stage.as('exit', 'exit', do_exit);
    },
  },
};

function scannedThenExit(stage: Stage): void {
  stage.mergeableProcess('exit', 'A');
  stage.run('1');
  stage.ksmd();
  stage.ksmd();
  stage.run('0');
  stage.ksmd();
  stage.as('exit', 'exit', do_exit);
}

/** The scenarios by name, with a line for people. */
export const referenceScenarios: readonly { name: string; does: string }[] = Object.entries(scripts).map(([name, { does }]) => ({
  name,
  does,
}));

/**
 * Plays a scenario and gives its events, a `meta` line first.
 * @param name  one of {@link referenceScenarios}
 * @param vmas  mergeable areas per process
 */
export function traceScenario(name: string, vmas: 1 | 3, variant: KsmVariant): TraceEvent[] {
  const region: Region = { vmas, pagesPerVma: vmas === 1 ? 3 : 2, content: (n) => 1000 + n };
  const writer = new TraceWriter(TASKS);
  set_ksm_variant(variant);
  const stage: Stage = {
    region,
    writer,
    as(task, note, step) {
      setCurrent(TASKS.indexOf(task));
      writer.mark(note);
      step();
      writer.mark(`end of ${note}`);
      setCurrent(0);
    },
    ksmd() {
      setCurrent(TASKS.indexOf('ksmd'));
      ksm_scan_thread(1);
      setCurrent(0);
    },
    run(value) {
      stage.as('writer', `write run=${value}`, () => {
        run_store(value);
      });
    },
    mergeableProcess(task, label) {
      setCurrent(TASKS.indexOf(task));
      const mm = makeProcess(region);
      writer.nameMm(mm, label);
      writer.start();
      stage.as(task, 'madvise MERGEABLE', () => {
        do_madvise(mm, REGION, regionBytes(region), MADV_MERGEABLE);
      });
      return mm;
    },
  };
  (scripts[name] as { script: Script }).script(stage);
  writer.stop();
  const meta = { t: -1, task: '', fn: '', ev: 'meta', obj: '', lvl: 1, scenario: name, nvma: vmas, variant } as TraceEvent;
  return [meta, ...writer.events];
}
