/**
 * The reference scenarios: what was recorded of a real kernel, played step by step in one thread.
 *
 * Each is a list of steps of named tasks; ksmd's wake-ups are steps too, as often as they came on the real machine (a wake-up
 * is one pass, because a pass fits into pages_to_scan).
 */
import { MADV_UNMERGEABLE } from '../../kernel/mm/ksm.ts';
import { KSM, ksm } from '../../kernel/mm/ksm-types.ts';
import { type KsmVariant, set_ksm_variant } from '../../kernel/mm/ksm-variants.ts';
import { do_madvise } from '../../kernel/mm/madvise.ts';
import { set } from '../../machine/door.ts';
import { mergingScripts } from './merging-scripts.ts';
import { patternOf, REGION, regionBytes } from './process.ts';
import { type Script, Stage } from './stage.ts';
import type { TraceEvent } from './writer.ts';

const scripts: Readonly<Record<string, Script>> = {
  a: {
    does: 'MERGEABLE, exit; ksmd never ran: the exit that frees its slot',
    play(stage) {
      stage.mergeableProcess('exit', 'A');
      stage.exit('exit');
    },
  },
  b: {
    does: 'scanned twice, exit, unmerge pass: the destroyed tree',
    play(stage) {
      stage.mergeableProcess('exit', 'A');
      stage.scan(2);
      stage.exit('exit');
      stage.run('2');
      stage.run('2');
    },
  },
  bk: {
    does: 'as b, but ksmd finds the slot left behind and frees it',
    play(stage) {
      stage.mergeableProcess('exit', 'A');
      stage.scan(2);
      stage.exit('exit');
      stage.run('1');
      stage.ksmd();
      stage.run('0');
    },
  },
  bc: {
    does: 'pages_to_scan 1: exit while the cursor is on the mm',
    play(stage) {
      set(ksm, KSM.pages_to_scan, 1);
      stage.mergeableProcess('exit', 'A');
      stage.scan(1);
      stage.exit('exit');
      stage.run('2');
    },
  },
  d: {
    does: 'fork of a mergeable mm that was never scanned; the child exits, the parent exits',
    play(stage) {
      stage.fork(stage.mergeableProcess('parent', 'A'));
      stage.exit('child');
      stage.exit('parent');
    },
  },
  e0: {
    does: 'MERGEABLE, UNMERGEABLE, exit; never scanned',
    play(stage) {
      const mm = stage.mergeableProcess('exit', 'A');
      stage.as('exit', 'madvise UNMERGEABLE', () => {
        do_madvise(mm, REGION, regionBytes(stage.region), MADV_UNMERGEABLE);
      });
      stage.exit('exit');
    },
  },
  ...mergingScripts,
};

/** The scenarios by name, with a line for people. */
export const referenceScenarios: readonly { name: string; does: string }[] = Object.entries(scripts).map(([name, { does }]) => ({
  name,
  does,
}));

const DIFFERENT = (n: number) => patternOf(n);
const MIXED = (n: number) => patternOf(Math.max(1, n));

/**
 * Plays a scenario and gives its events, a `meta` line first.
 * @param name  one of {@link referenceScenarios}
 * @param vmas  mergeable areas per process
 */
export function traceScenario(name: string, vmas: 1 | 3, variant: KsmVariant): TraceEvent[] {
  const script = scripts[name] as Script;
  const [one, three] = script.pages ?? [3, 2];
  set_ksm_variant(variant);
  // The recorded machine scanned a thousand pages at a wake-up.
  set(ksm, KSM.pages_to_scan, 1000);
  const content = script.content === 'mixed' ? MIXED : DIFFERENT;
  const stage = new Stage({ vmas, pagesPerVma: vmas === 1 ? one : three, content });
  script.play(stage);
  stage.writer.stop();
  const meta = { t: -1, task: '', fn: '', ev: 'meta', obj: '', lvl: 1, scenario: name, nvma: vmas, variant } as TraceEvent;
  return [meta, ...stage.writer.events];
}
