/**
 * Aimed delays: learns from its own hits where each of two tasks should wait, and for how long.
 *
 * An aim is, for each of the two tasks, a place (site: function and kind of access) and how many points the other
 * one must have passed there (machine/aimed.ts), or no wait. It starts with random aims; once some hit, it plays
 * the best of them by Thompson sampling (W. R. Thompson, Biometrika 1933) and goes on trying neighbours of the best and, now
 * and then, something new. An aim is kept for a batch of trials, so that choosing costs little.
 */
import { type Random, randomInt, randomNormal } from '../stats/random.ts';

/** Where one task waits (`site` 0: nowhere), and until the other one has passed so many points. */
export interface Wait {
  site: number;
  until: number;
}

export interface Aim {
  leader: Wait;
  follower: Wait;
}

interface Played {
  aim: Aim;
  trials: number;
  hits: number;
  /** Time that the trials took, ms. */
  ms: number;
}

/** What the two tasks pass in a round, as far as it was seen. */
interface Side {
  sites: number[];
  /** Most points in a round. */
  points: number;
}

/** Trials with one aim before the next choice. */
const BATCH = 16;
/** Aims that are remembered; the worst is forgotten. */
const KEPT = 24;
/** Share of the batches that look for something better, once something hits. */
const EXPLORE = 0.06;
/** Of these, the share that does not start from the best. */
const FRESH = 0.3;
/** Memory fades: counts are halved when an aim has been played this often, because machines change their pace. */
const FADE = 20_000;

const NOWHERE: Wait = { site: 0, until: 0 };

export class AimedDelays {
  readonly #random: Random;
  readonly #now: () => number;
  readonly #leader: Side = { sites: [], points: 1 };
  readonly #follower: Side = { sites: [], points: 1 };
  #kept: Played[] = [];
  #current: Played = fresh({ leader: NOWHERE, follower: NOWHERE });
  #left = 0;
  #since: number;

  /** @param now  a clock in ms */
  constructor(random: Random, now: () => number = () => performance.now()) {
    this.#random = random;
    this.#now = now;
    this.#since = now();
  }

  /** What the tasks were seen to pass: where a wait is possible, and how long one can be. */
  learnSites(leader: readonly number[], leaderPoints: number, follower: readonly number[], followerPoints: number): void {
    for (const site of leader) if (!this.#leader.sites.includes(site)) this.#leader.sites.push(site);
    for (const site of follower) if (!this.#follower.sites.includes(site)) this.#follower.sites.push(site);
    this.#leader.points = Math.max(this.#leader.points, leaderPoints);
    this.#follower.points = Math.max(this.#follower.points, followerPoints);
  }

  /** The aim for the next trial. */
  next(): Aim {
    if (this.#left === 0) {
      const now = this.#now();
      this.#current.ms += now - this.#since;
      this.#since = now;
      this.#keep(this.#current);
      this.#current = this.#choose();
      this.#left = BATCH;
    }
    this.#left--;
    return this.#current.aim;
  }

  /** What became of the trial with the last {@link next}. */
  learn(hit: boolean): void {
    this.#current.trials++;
    if (hit) this.#current.hits++;
    // An aim that misses at once is not worth its batch.
    else if (this.#current.hits === 0 && this.#current.trials >= 4) this.#left = 0;
  }

  /** The aim that hits best, and its share of hits so far; undefined before the first hit. */
  best(): { aim: Aim; share: number } | undefined {
    const top = this.#top();
    return top === undefined ? undefined : { aim: top.aim, share: top.hits / top.trials };
  }

  #keep(played: Played): void {
    if (played.trials > FADE) {
      played.trials /= 2;
      played.hits /= 2;
      played.ms /= 2;
    }
    if (played.hits === 0 || this.#kept.includes(played)) return;
    this.#kept.push(played);
    if (this.#kept.length <= KEPT) return;
    const worst = this.#kept.reduce((low, one) =>
      this.#worth(one, one.hits / one.trials) < this.#worth(low, low.hits / low.trials) ? one : low,
    );
    this.#kept = this.#kept.filter((one) => one !== worst);
  }

  /** What an aim is worth when `share` of its trials hit: hits per time, certain ones preferred. */
  #worth(played: Played, share: number): number {
    return (share * share * played.trials) / Math.max(1e-6, played.ms);
  }

  #top(): Played | undefined {
    let best: Played | undefined;
    for (const one of this.#kept)
      if (best === undefined || this.#worth(one, one.hits / one.trials) > this.#worth(best, best.hits / best.trials)) best = one;
    return best;
  }

  #choose(): Played {
    const random = this.#random;
    const best = this.#top();
    if (best === undefined) return fresh(this.#draw());
    if (random() < EXPLORE) return fresh(random() < FRESH ? this.#draw() : this.#neighbour(best.aim));
    let chosen = best;
    let most = -1;
    for (const one of this.#kept) {
      const share = (one.hits + 1) / (one.trials + 2);
      const sample = Math.min(1, Math.max(0, share + Math.sqrt((share * (1 - share)) / (one.trials + 3)) * randomNormal(random)));
      const worth = this.#worth(one, sample);
      if (worth > most) {
        most = worth;
        chosen = one;
      }
    }
    return chosen;
  }

  #draw(): Aim {
    return { leader: this.#drawWait(this.#leader, this.#follower), follower: this.#drawWait(this.#follower, this.#leader) };
  }

  /** A wait of `mine` for `other`: short ones, long ones, and often to the other's end. */
  #drawWait(mine: Side, other: Side): Wait {
    const random = this.#random;
    if (mine.sites.length === 0 || random() < 0.25) return NOWHERE;
    const until = random() < 0.3 ? other.points : 1 + randomInt(random, other.points);
    return { site: mine.sites[randomInt(random, mine.sites.length)] as number, until };
  }

  /** Like `aim`, but one of the waits longer, shorter, elsewhere or left out. */
  #neighbour(aim: Aim): Aim {
    const random = this.#random;
    const side = random() < 0.5 ? 'leader' : 'follower';
    const [mine, other] = side === 'leader' ? [this.#leader, this.#follower] : [this.#follower, this.#leader];
    const { site, until } = aim[side];
    if (site === 0 || random() < 0.25) return { ...aim, [side]: this.#drawWait(mine, other) };
    const changed = until + randomInt(random, 9) - 4;
    return { ...aim, [side]: { site, until: Math.min(other.points, Math.max(1, changed)) } };
  }
}

function fresh(aim: Aim): Played {
  return { aim, trials: 0, hits: 0, ms: 0 };
}
