import { expect, test } from 'vitest';
import { type Row, row } from '../../bench/bench.ts';
import { compareRuns } from '../../bench/compare.ts';
import { advantage, alignTable, figure, formatRows } from '../../bench/table.ts';
import { randomNormal, seededRandom } from '../../src/lab/stats/random.ts';

const random = seededRandom(4);
const samples = (level: number): number[] => Array.from({ length: 15 }, () => level * (1 + 0.02 * randomNormal(random)));

function run(levels: Record<string, number>, peerLevel: number): Row[] {
  return Object.entries(levels).flatMap(([what, level]) => [
    row('g', what, what.endsWith('rate') ? '1/s' : 'ns', samples(level)),
    row('g', what, what.endsWith('rate') ? '1/s' : 'ns', samples(peerLevel), 'peer'),
  ]);
}

test('the same twice is the same, also on a machine that is slower as a whole', () => {
  const then = run({ a: 10, b: 20, rate: 1000 }, 50);
  expect(compareRuns(then, run({ a: 10, b: 20, rate: 1000 }, 50)).map((c) => c.verdict)).toEqual(['same', 'same', 'same']);
  expect(compareRuns(then, run({ a: 20, b: 40, rate: 2000 }, 100)).map((c) => c.verdict)).toEqual(['same', 'same', 'same']);
});

test('what got slower is named: times that rise, rates that fall', () => {
  const then = run({ a: 10, b: 20, rate: 1000 }, 50);
  const changes = compareRuns(then, run({ a: 12, b: 16, rate: 800 }, 50));
  expect(changes.map((c) => c.verdict)).toEqual(['slower', 'faster', 'slower']);
  expect(changes[0]?.slowdown).toBeCloseTo(1.2, 1);
  expect(changes[2]?.slowdown).toBeCloseTo(1.25, 1);
});

test('our own code in another setting is no peer: it is judged itself', () => {
  const both = (level: number): Row[] => [
    row('g', 'x', 'ns', samples(level)),
    row('g', 'x', 'ns', samples(2 * level), 'ours with lockdep'),
  ];
  const changes = compareRuns(both(10), both(13));
  expect(changes.map((c) => [c.row.peer, c.peer, c.verdict])).toEqual([
    [undefined, undefined, 'slower'],
    ['ours with lockdep', undefined, 'slower'],
  ]);
});

test('rows without a counterpart are left out, and one sample proves nothing', () => {
  expect(compareRuns([row('g', 'x', 'ns', [1])], [row('g', 'y', 'ns', [1])])).toEqual([]);
  expect(compareRuns([row('g', 'x', 'ns', [1])], [row('g', 'x', 'ns', [9])])[0]?.verdict).toBe('same');
});

test('tables', () => {
  const rows = [row('locks', 'spin', 'ns', [30, 20, 40]), row('locks', 'spin', 'ns', [15], 'C')];
  expect(advantage(rows[0] as Row, rows[1] as Row)).toBeCloseTo(0.5, 12);
  expect(formatRows(rows).split('\n')).toEqual([
    'locks  unit  median  best  spread         ours is',
    'spin     ns    30.0  20.0  33.3 %',
    '  C      ns    15.0  15.0   0.0 %  x 0.50 as fast',
  ]);
  expect([1234567, 12.34, 0.5, Number.NaN].map(figure)).toEqual(['1,234,567', '12.3', '0.50', '-']);
  expect(alignTable([['a', 'bb'], ['ccc']])).toBe('a    bb\nccc');
});
