/** The race itself: paired trials per second beside bare models of the same race, and hits per second. */
import type { StressOptions } from '../src/lab/stress/orders.ts';
import type { BenchOptions, Row } from './bench.ts';
import { compileNative } from './peers/native.ts';
import { bareJavaScriptRace, bareNativeRace } from './peers/race-peers.ts';
import { sideBySide } from './side-by-side.ts';
import { perSecond } from './stress-options.ts';

export const name = 'race';
export const about = 'paired trials/s against bare models of the race in JavaScript and C; hits/s';

/** Sizes of the processes. */
const VMAS = [1, 16];

export async function run(options: BenchOptions): Promise<Row[]> {
  if (options.cores < 2) {
    options.say('  one core: no race');
    return [];
  }
  const seconds = options.quick ? 1 : 2;
  const rounds = options.quick ? 3 : 9;
  const native = compileNative('race', options.say);
  const rows: Row[] = [];
  const trials = (change: Partial<StressOptions>): Promise<number> => perSecond(change, seconds, (counts) => counts.trials);
  try {
    for (const vmas of VMAS) {
      rows.push(
        ...(await sideBySide(
          options,
          'race',
          `paired trial, ${vmas} VMAs, lockdep`,
          'trials/s',
          [
            { sample: () => trials({ vmas }) },
            { peer: 'ours without lockdep', sample: () => trials({ vmas, lockdep: 'off' }) },
            { peer: 'ours with lockdep and recorder', sample: () => trials({ vmas, record: true }) },
            {
              peer: 'ours with lockdep, heap and references',
              sample: () => trials({ vmas, checks: { heap: true, refs: true, pages: false } }),
            },
            { peer: 'bare JavaScript', sample: () => bareJavaScriptRace(vmas, 1000 * seconds) },
            ...(native === undefined ? [] : [{ peer: 'bare C', sample: () => bareNativeRace(native, vmas, 1000 * seconds) }]),
          ],
          rounds,
        )),
      );
    }
  } finally {
    native?.dispose();
  }
  const hits = (change: Partial<StressOptions>): Promise<number> => perSecond(change, seconds, (counts) => counts.hits.total);
  rows.push(
    ...(await sideBySide(
      options,
      'race',
      'hits, scanned, aimed',
      'hits/s',
      [{ sample: () => hits({ scanned: 'yes', delay: 'aimed' }) }],
      rounds,
    )),
    ...(await sideBySide(options, 'race', 'hits, not scanned, aimed', 'hits/s', [{ sample: () => hits({ delay: 'aimed' }) }], rounds)),
    ...(await sideBySide(options, 'race', 'hits, not scanned, by chance', 'hits/s', [{ sample: () => hits({}) }], rounds)),
  );
  return rows;
}
