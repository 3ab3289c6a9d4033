/** Counts what the kernel announces while schedules are played: visits, exits, passes, and hits by kind. */
import { EV_EXITED, EV_PASS, EV_VISIT } from '../../kernel/trace/vocabulary.ts';
import { listen } from '../../machine/announce.ts';
import { HIT_DESTROYED_WHILE_WAITING, HIT_NONE, HIT_SLOT_LEFT_BEHIND, hitKind } from '../stress/hits.ts';
import { type HitCounts, noHits } from '../summary.ts';

export interface Happenings {
  visits: number;
  exits: number;
  passes: number;
  hits: HitCounts;
}

/** Counts from now on; whoever calls this is the thread's only listener. */
export function countHappenings(): Happenings {
  const seen: Happenings = { visits: 0, exits: 0, passes: 0, hits: { ...noHits } };
  listen(
    (event, _object, _address, value) => {
      if (event === EV_EXITED) seen.exits++;
      else if (event === EV_PASS) seen.passes++;
      else if (event === EV_VISIT) {
        seen.visits++;
        const kind = hitKind(value);
        if (kind === HIT_NONE) return;
        seen.hits.total++;
        if (kind === HIT_SLOT_LEFT_BEHIND) seen.hits.slotLeftBehind++;
        else if (kind === HIT_DESTROYED_WHILE_WAITING) seen.hits.destroyedWhileWaiting++;
        else seen.hits.cursorWindow++;
      }
    },
    [EV_VISIT, EV_EXITED, EV_PASS],
  );
  return seen;
}
