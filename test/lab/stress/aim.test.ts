import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/lab/stats/random.ts';
import { AimedDelays } from '../../../src/lab/stress/aim.ts';

/** A clock that goes on by one with each look. */
function clock(): () => number {
  let now = 0;
  return () => now++;
}

/** Plays `trials` against a world in which an aim hits when `hits` says so; gives the share of hits in the last half. */
function play(aimed: AimedDelays, trials: number, hits: (aim: ReturnType<AimedDelays['next']>) => boolean): number {
  let late = 0;
  for (let i = 0; i < trials; i++) {
    const hit = hits(aimed.next());
    aimed.learn(hit);
    if (hit && i >= trials / 2) late++;
  }
  return late / (trials / 2);
}

describe('aimed delays', () => {
  it('learns a place and a time for each of the two tasks', () => {
    const aimed = new AimedDelays(seededRandom(1), clock());
    aimed.learnSites([11, 12, 13, 14, 15, 16], 60, [21, 22, 23, 24, 25, 26, 27, 28], 30);
    const share = play(
      aimed,
      40_000,
      ({ leader, follower }) => leader.site === 13 && leader.until > 6 && follower.site === 26 && follower.until > 40,
    );
    expect(share).toBeGreaterThan(0.85);
    expect(aimed.best()?.aim.follower.site).toBe(26);
  });

  it('prefers the aim that costs less time', () => {
    let time = 0;
    const aimed = new AimedDelays(seededRandom(2), () => time);
    aimed.learnSites([], 60, [21, 22], 30);
    play(aimed, 60_000, ({ follower }) => {
      time += 10 + follower.until;
      return follower.site === 22 && follower.until > 10;
    });
    expect(aimed.best()?.aim.follower.until).toBeLessThan(25);
  });

  it('finds a new aim when the old one stops hitting', () => {
    const aimed = new AimedDelays(seededRandom(3), clock());
    aimed.learnSites([], 60, [21, 22], 30);
    play(aimed, 20_000, ({ follower }) => follower.site === 21 && follower.until > 20);
    const share = play(aimed, 200_000, ({ follower }) => follower.site === 22 && follower.until > 20);
    expect(share).toBeGreaterThan(0.7);
  });

  it('goes on without any hit', () => {
    const aimed = new AimedDelays(seededRandom(4), clock());
    expect(play(aimed, 1000, () => false)).toBe(0);
    expect(aimed.best()).toBeUndefined();
  });
});
