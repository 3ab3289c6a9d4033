/**
 * Aimed delays: learns from its own hits where each of two tasks should wait, and how long.
 *
 * An aim is a place (site: function and kind of access, see machine/points.ts) and a number of spins for each of the two
 * tasks, or no wait. It starts with random aims; once some hit, it plays the best of them by Thompson sampling (W. R.
 * Thompson, Biometrika 1933) and goes on trying neighbours of the best and, now and then, something new. An aim is
 * kept for a batch of trials, so that choosing costs little.
 */
import { type Random, randomInt, randomNormal } from '../stats/random.ts';

/** Where one task waits. `site` 0: nowhere. */
export interface Wait {
  site: number;
  spins: number;
}

export interface Aim {
  leader: Wait;
  follower: Wait;
}

interface Played {
  aim: Aim;
  trials: number;
  hits: number;
}

/** Trials with one aim before the next choice. */
const BATCH = 16;
/** Aims that are remembered; the worst is forgotten. */
const KEPT = 24;
/** Share of the batches that look for something better, once something hits. */
const EXPLORE = 0.06;
/** Of these, the share that does not start from the best. */
const FRESH = 0.3;
/** Shortest and longest wait, as powers of two; a spin takes about 8 ns. */
const LEAST_SPINS = 2;
const MOST_SPINS = 13;
/** Spins that a trial without waits takes: what a longer wait is weighed against. */
const TRIAL_SPINS = 800;
/** Memory fades: counts are halved when an aim has been played this often, because machines change their pace. */
const FADE = 20_000;

const NOWHERE: Wait = { site: 0, spins: 0 };

export class AimedDelays {
  readonly #random: Random;
  readonly #leaderSites: number[] = [];
  readonly #followerSites: number[] = [];
  #kept: Played[] = [];
  #current: Played = { aim: { leader: NOWHERE, follower: NOWHERE }, trials: 0, hits: 0 };
  #left = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Sites that the tasks were seen to pass: where a wait is possible. */
  learnSites(leader: readonly number[], follower: readonly number[]): void {
    for (const site of leader) if (!this.#leaderSites.includes(site)) this.#leaderSites.push(site);
    for (const site of follower) if (!this.#followerSites.includes(site)) this.#followerSites.push(site);
  }

  /** The aim for the next trial. */
  next(): Aim {
    if (this.#left === 0) {
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
    return (share * share) / (TRIAL_SPINS + played.aim.leader.spins + played.aim.follower.spins);
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
    return { leader: this.#drawWait(this.#leaderSites), follower: this.#drawWait(this.#followerSites) };
  }

  #drawWait(sites: readonly number[]): Wait {
    if (sites.length === 0 || this.#random() < 0.25) return NOWHERE;
    const spins = Math.round(2 ** (LEAST_SPINS + this.#random() * (MOST_SPINS - LEAST_SPINS)));
    return { site: sites[randomInt(this.#random, sites.length)] as number, spins };
  }

  /** Like `aim`, but one of the waits longer, shorter, elsewhere or left out. */
  #neighbour(aim: Aim): Aim {
    const side = this.#random() < 0.5 ? 'leader' : 'follower';
    const wait = aim[side];
    if (wait.site === 0 || this.#random() < 0.25)
      return { ...aim, [side]: this.#drawWait(side === 'leader' ? this.#leaderSites : this.#followerSites) };
    const spins = Math.round(wait.spins * 2 ** (2 * this.#random() - 1));
    return { ...aim, [side]: { site: wait.site, spins: Math.min(2 ** MOST_SPINS, Math.max(1, spins)) } };
  }
}

function fresh(aim: Aim): Played {
  return { aim, trials: 0, hits: 0 };
}
