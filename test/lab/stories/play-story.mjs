/** Plays one scripted schedule: `node play-story.mjs STORY VARIANT` prints what came of it as JSON. */
const built = (file) => import(new URL(`../../../dist/src/${file}.js`, import.meta.url).href);

const [, , name, variant] = process.argv;
const { configureBoot } = await built('machine/boot');
configureBoot({ stepped: true, record: true, ringRecords: 4096 });
const { sessionFor } = await built('lab/search/session');
const { countHappenings } = await built('lab/search/happenings');
const { diagramOf } = await built('lab/diagram/from-records');
const { readRing } = await built('machine/recorder');
const { shadowStack, functionInfo } = await built('machine/shadow-stack');
const { areaOf } = await built('machine/task-area');
const { POINT_LOCK, POINT_RCU, POINT_RLOCK } = await built('machine/points');
const { NO_PROFILE } = await built('lab/search/in-order');
const { Random } = await built('lab/search/random');

const SCANNER = 0;
const EXIT = 1;
const PASS = 'unmerge_and_remove_all_rmap_items';

/** Each line: who runs, and up to which pending operation (kind, function, which time); without one, to its end. */
const stories = {
  // The exit is long over when the pass comes; rmap_items kept the slot.
  slotLeftBehind: { scanned: true, script: [[EXIT], [SCANNER]] },
  // The pass asks for mmap_lock while exit_mmap holds it for write.
  destroyedWhileWaiting: {
    scanned: true,
    script: [[EXIT, POINT_LOCK, 'exit_mmap'], [EXIT, POINT_RCU, 'mas_walk'], [SCANNER, POINT_RLOCK, PASS], [EXIT], [SCANNER]],
  },
  // The mail's: between the cursor and mmap_read_lock the whole exit goes by.
  cursorWindow: { scanned: false, script: [[SCANNER, POINT_RLOCK, PASS], [EXIT], [SCANNER]] },
};

class Script {
  alwaysAsk = true;
  constructor(lines) {
    this.lines = lines;
  }
  begin() {
    this.at = 0;
    this.met = 0;
  }
  /** Is the task at the operation that its line ends with, for the last time? */
  reached([task, kind, fn, times = 1], view) {
    if (kind === undefined || view.kind[task] !== kind || functionInfo(shadowStack(areaOf(task))[0])?.name !== fn) return false;
    this.met++;
    if (this.met < times) return false;
    this.met = 0;
    return true;
  }
  choose(view) {
    for (; this.at < this.lines.length; this.at++) {
      const [task] = this.lines[this.at];
      const bit = 1 << task;
      if ((view.live & bit) === 0 || this.reached(this.lines[this.at], view)) continue;
      if ((view.runnable & bit) !== 0) return task;
    }
    return 31 - Math.clz32(view.runnable & -view.runnable);
  }
}

const { scanned, script } = stories[name];
const workload = { variant, tasks: 2, vmas: 1, pages: 1, processes: 0, scanned };
const { engine } = await sessionFor({ scenario: 'ksm-exit', workload });
const seen = countHappenings();
engine.run(new Script(script), new Random(), NO_PROFILE);
const found = engine.found.map((id) => engine.findings.all[id]);
const columns = engine.tasks.map((task, index) => ({ index, name: task.name, records: readRing(index) }));
process.stdout.write(
  JSON.stringify({
    ending: engine.ending,
    hits: seen.hits,
    found: found.map(({ title }) => title),
    report: found[0]?.lines.join('\n') ?? '',
    diagram: found.length > 0 ? diagramOf(columns, found[0].title) : '',
  }),
);
