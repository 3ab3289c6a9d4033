/** What the scripts of the reference scenarios are written in: tasks, and the steps that they can be told to make. */
import { do_exit } from '../../kernel/exit.ts';
import { dup_mm } from '../../kernel/fork.ts';
import { current, task_struct } from '../../kernel/include/task_struct.ts';
import { MADV_MERGEABLE, run_store } from '../../kernel/mm/ksm.ts';
import { ksm_scan_thread } from '../../kernel/mm/ksm-scan.ts';
import { do_madvise } from '../../kernel/mm/madvise.ts';
import { userStore } from '../../kernel/mm/user-access.ts';
import { set } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { setCurrent } from '../../machine/task-area.ts';
import { makeProcess, patternOf, REGION, type Region, regionBytes } from './process.ts';
import { TraceWriter } from './writer.ts';

/** Tasks by index. */
const TASKS = ['init', 'exit', 'writer', 'ksmd', 'parent', 'child', 'procA', 'procC'] as const;
export type Task = (typeof TASKS)[number];
type Mm = Ptr<'mm_struct'>;

/** Content that no region has from the start. */
const WRITTEN = patternOf(0xf0);

/** A scenario while it is played. */
export class Stage {
  readonly writer = new TraceWriter(TASKS);
  readonly region: Region;

  constructor(region: Region) {
    this.region = region;
  }

  /** Runs `step` as `task`, between two marks. */
  as(task: Task, note: string, step: () => void): void {
    setCurrent(TASKS.indexOf(task));
    this.writer.mark(note);
    step();
    this.writer.mark(`end of ${note}`);
    setCurrent(0);
  }

  /** ksmd wakes up `times` times: as many passes, where a pass fits into pages_to_scan. */
  ksmd(times = 1): void {
    setCurrent(TASKS.indexOf('ksmd'));
    ksm_scan_thread(times);
    setCurrent(0);
  }

  /** A write to the run file. */
  run(value: '0' | '1' | '2'): void {
    this.as('writer', `write run=${value}`, () => {
      run_store(value);
    });
  }

  /** ksmd is switched on for `passes` passes. After `run` went back to 0 it wakes once more and finds nothing to do. */
  scan(passes: number): void {
    this.run('1');
    this.ksmd(passes);
    this.run('0');
    this.ksmd();
  }

  /** `task` gets a process called `label`, and advises its region to be merged. */
  mergeableProcess(task: Task, label: string): Mm {
    setCurrent(TASKS.indexOf(task));
    const mm = makeProcess(this.region);
    this.writer.nameMm(mm, label);
    this.writer.start();
    this.as(task, 'madvise MERGEABLE', () => {
      do_madvise(mm, REGION, regionBytes(this.region), MADV_MERGEABLE);
    });
    return mm;
  }

  /** `task` changes page 0 of the region. */
  writePage0(task: Task, mm: Mm): void {
    this.as(task, 'write to page 0', () => {
      userStore(mm, REGION, WRITTEN);
    });
  }

  /** The parent forks; the child, called `child`, becomes the mm of the task `child`. */
  fork(parent: Mm): Mm {
    let child = parent;
    this.writer.nameNextMm('child');
    this.as('parent', 'fork', () => {
      child = dup_mm(parent);
    });
    setCurrent(TASKS.indexOf('child'));
    set(current(), task_struct.mm, child);
    setCurrent(0);
    return child;
  }

  exit(task: Task): void {
    this.as(task, 'exit', do_exit);
  }
}

/** A scenario: what it shows, what its pages hold, and its steps. */
export interface Script {
  does: string;
  /** Pages of each area where there is one area, and where there are three. */
  pages?: readonly [one: number, three: number];
  /** `mixed`: pages 0 and 1 are equal, all others different. @defaultValue different */
  content?: 'different' | 'mixed';
  play(stage: Stage): void;
}
