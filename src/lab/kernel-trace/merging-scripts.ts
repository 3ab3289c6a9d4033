/** Reference scenarios in which pages are merged. */
import { MADV_UNMERGEABLE } from '../../kernel/mm/ksm.ts';
import { do_madvise } from '../../kernel/mm/madvise.ts';
import { REGION, regionBytes } from './process.ts';
import type { Script } from './stage.ts';

export const mergingScripts: Readonly<Record<string, Script>> = {
  bm: {
    does: 'merged, exit, unmerge pass: the destroyed tree, and a stale stable node',
    content: 'mixed',
    play(stage) {
      stage.mergeableProcess('exit', 'A');
      stage.scan(3);
      stage.exit('exit');
      stage.run('2');
      stage.run('2');
    },
  },
  bo: {
    does: 'three processes with the same pages; the middle one exits, unmerge pass, the others exit: the order of the list',
    play(stage) {
      stage.mergeableProcess('procA', 'A');
      stage.mergeableProcess('exit', 'B');
      stage.mergeableProcess('procC', 'C');
      stage.scan(2);
      stage.exit('exit');
      stage.run('2');
      stage.exit('procA');
      stage.exit('procC');
    },
  },
  c: {
    does: 'merged, unmerge pass over the living process, exit without rmap_items',
    content: 'mixed',
    play(stage) {
      stage.mergeableProcess('exit', 'A');
      stage.scan(3);
      stage.run('2');
      stage.run('0');
      stage.exit('exit');
    },
  },
  dw: {
    does: 'as d, but the child writes a page first',
    play(stage) {
      const mm = stage.mergeableProcess('parent', 'A');
      stage.writePage0('child', stage.fork(mm));
      stage.exit('child');
      stage.exit('parent');
    },
  },
  ds: {
    does: 'fork of merged pages, the child writes one and exits, the parent exits, unmerge pass',
    content: 'mixed',
    play(stage) {
      const mm = stage.mergeableProcess('parent', 'A');
      stage.scan(3);
      stage.writePage0('child', stage.fork(mm));
      stage.exit('child');
      stage.exit('parent');
      stage.run('2');
    },
  },
  e: {
    does: 'merged, UNMERGEABLE, one pass of ksmd, exit',
    content: 'mixed',
    play(stage) {
      const mm = stage.mergeableProcess('exit', 'A');
      stage.scan(3);
      stage.as('exit', 'madvise UNMERGEABLE', () => {
        do_madvise(mm, REGION, regionBytes(stage.region), MADV_UNMERGEABLE);
      });
      // The list is empty afterwards, so ksmd sleeps until it is woken: no look at an empty list.
      stage.run('1');
      stage.ksmd();
      stage.run('0');
      stage.exit('exit');
    },
  },
  f: {
    does: 'a page shared by two processes: one writes, the other exits, a pass of ksmd, exit, unmerge pass',
    pages: [1, 1],
    play(stage) {
      const mm = stage.mergeableProcess('procA', 'A');
      stage.mergeableProcess('exit', 'B');
      stage.scan(3);
      stage.writePage0('procA', mm);
      stage.exit('exit');
      stage.scan(1);
      stage.exit('procA');
      stage.run('2');
    },
  },
};
