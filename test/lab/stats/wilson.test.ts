import { expect, test } from 'vitest';
import { wilsonInterval } from '../../../src/lab/stats/wilson.ts';

// Newcombe, "Two-sided confidence intervals for the single proportion" (Statistics in Medicine 17, 1998), table I, method 3.
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('%i of %i lies within %d and %d', (hits, trials, low, high) => {
  const interval = wilsonInterval(hits, trials);
  expect(interval.low).toBeCloseTo(low, 4);
  expect(interval.high).toBeCloseTo(high, 4);
});

test('is symmetric, and says nothing without trials', () => {
  const few = wilsonInterval(3, 50);
  const many = wilsonInterval(47, 50);
  expect(1 - many.high).toBeCloseTo(few.low, 12);
  expect(1 - many.low).toBeCloseTo(few.high, 12);
  expect(wilsonInterval(50, 50).high).toBe(1);
  expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 });
});

test('refuses impossible counts', () => {
  expect(() => wilsonInterval(3, 2)).toThrow('0 <= hits <= trials, not 3 of 2');
  expect(() => wilsonInterval(-1, 2)).toThrow(RangeError);
});
