/**
 * The three ways to the destroyed tree, each as a scripted interleaving in one thread: the unfixed kernel reports, its
 * fixed twin walks the same way and is silent. The diagrams are compared with stored ones (UPDATE_DIAGRAMS=1 writes them).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const PLAYER = new URL('./play-story.mjs', import.meta.url).pathname;

interface Played {
  ending: string;
  hits: { total: number; slotLeftBehind: number; destroyedWhileWaiting: number; cursorWindow: number };
  found: string[];
  report: string;
  diagram: string;
}

/** Plays a story in a process of its own, because a process sets up one machine. */
function play(story: string, variant: string): Played {
  return JSON.parse(execFileSync(process.execPath, [PLAYER, story, variant], { encoding: 'utf8' })) as Played;
}

describe.each(['slotLeftBehind', 'destroyedWhileWaiting', 'cursorWindow'] as const)('%s', (kind) => {
  const hits = { total: 1, slotLeftBehind: 0, destroyedWhileWaiting: 0, cursorWindow: 0, [kind]: 1 };

  it('the unfixed kernel reports, and the diagram shows why', () => {
    const played = play(kind, 'unfixed');
    expect(played).toMatchObject({ ending: 'done', hits, found: ['suspicious RCU usage'] });
    expect(played.report).toContain('WARNING: suspicious RCU usage');
    expect(played.report).toContain('(ksm_thread_mutex){+.+.}');
    expect(played.report).toContain('unmerge_and_remove_all_rmap_items');
    const stored = new URL(`./${kind}.txt`, import.meta.url);
    if (process.env.UPDATE_DIAGRAMS) writeFileSync(stored, `${played.diagram}\n`);
    expect(`${played.diagram}\n`).toBe(readFileSync(stored, 'utf8'));
    expect(played.diagram.split('\n').length).toBeLessThanOrEqual(60);
  });

  it.each(['fixed', 'both', 'linked-list'])('%s goes the same way and is silent', (variant) => {
    expect(play(kind, variant)).toMatchObject({ ending: 'done', hits, found: [] });
  });
});
