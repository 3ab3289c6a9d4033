/** Shows what a search found: report, diagram, the schedule in words, and how to see it again. */
import { type Code, codeHash } from '../lab/search/code-hash.ts';
import { BROKEN_BOOKS } from '../lab/search/engine-limits.ts';
import { type SearchBoot, SearchPool } from '../lab/search/pool.ts';
import type { Replayed } from '../lab/search/replay.ts';
import type { Subject } from '../lab/search/session.ts';
import { encodeToken, type Token } from '../lab/search/token.ts';
import type { Output } from './output.ts';

/** A schedule of this code as a token. */
export function tokenOf(subject: Subject, schedule: Token['schedule'], code: Code): string {
  return encodeToken({ ...subject, codeHash: codeHash(subject, code), schedule });
}

/** Plays a schedule again on a thread of its own, with the flight recorder on. */
export async function replayAlone(subject: Subject, schedule: Token['schedule'], boot: SearchBoot): Promise<Replayed> {
  const pool = new SearchPool(1, { ...boot, record: true });
  try {
    return await pool.run('replay', { ...subject, schedule });
  } finally {
    await pool.end();
  }
}

/** Report, diagram and schedule of a replayed finding, as one text. */
export function findingText(replayed: Replayed): { report: string; diagram: string; story: string } {
  const report = replayed.found.map(({ title, lines }) => (lines.length > 0 ? lines.join('\n') : title)).join('\n\n');
  return { report, diagram: replayed.diagram, story: replayed.story.join('\n') };
}

/** Shows a replayed schedule. */
export function showReplay(out: Output, replayed: Replayed): void {
  const { report, diagram, story } = findingText(replayed);
  if (report !== '') out.say(`${report}\n`);
  if (diagram !== '') out.say(`${diagram}\n`);
  if (story !== '') out.say(`${story}\n`);
}

/** Says it when a finding is our own bug: KSM's counters, lists and trees against the page tables (--check-pages). */
export function saysBrokenBooks(out: Output, found: readonly { kind: string; title: string }[]): boolean {
  const broken = found.filter(({ kind }) => kind === BROKEN_BOOKS);
  for (const { title } of broken)
    out.error(`the emulator failed: KSM's books are wrong after a schedule (its token, with replay --check-pages, shows it): ${title}`);
  return broken.length > 0;
}
