/** Limits that are reported, and the modes `stop` and `off`: each in a thread of its own, because a mode is for a thread's life. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

const worker = new URL('../../../dist/test/kernel/locking/modes-worker.js', import.meta.url).pathname;

interface Told {
  kinds: string[];
  counts: number[];
  on: boolean;
  held: boolean;
  lines: string[];
}

function run(what: string, boot: object): Told {
  return JSON.parse(execFileSync(process.execPath, [worker, what, JSON.stringify(boot)], { encoding: 'utf8', timeout: 60_000 })) as Told;
}

test('stop: off after the first report, as the kernel', () => {
  const told = run('abba', { lockdep: 'stop' });
  expect([told.kinds, told.counts, told.on]).toEqual([['circular-dependency'], [1], false]);
  // Whoever asks while it is off hears that the lock is held, so that nothing is reported by mistake.
  expect(told.held).toBe(true);
});

test('on: the same mistakes are counted and further ones found', () => {
  const told = run('abba', { lockdep: 'on' });
  expect([told.kinds, told.counts, told.on]).toEqual([['circular-dependency', 'recursive-locking'], [3, 1], true]);
  expect(told.held).toBe(false);
});

test('off: nothing', () => {
  const told = run('abba', { lockdep: 'off' });
  expect([told.kinds, told.held]).toEqual([[], true]);
});

test('too many classes: said, and off', () => {
  const told = run('classes', { lockdepClasses: 100 });
  expect([told.kinds, told.on]).toEqual([['limit-reached'], false]);
  expect(told.lines[0]).toBe('BUG: MAX_LOCKDEP_KEYS too low!');
});

test('too many dependencies: said, and off', () => {
  const told = run('classes', { lockdepEntries: 100 });
  expect([told.kinds, told.on]).toEqual([['limit-reached'], false]);
  expect(told.lines[0]).toBe('BUG: MAX_LOCKDEP_ENTRIES too low!');
});

test('too many chains: said, and validation goes on', () => {
  const told = run('classes', { lockdepChains: 100 });
  expect([told.kinds, told.on]).toEqual([['limit-reached'], true]);
  expect(told.lines[0]).toBe('BUG: MAX_LOCKDEP_CHAINS too low!');
});

test('too many held locks: said, and off', () => {
  const told = run('depth', {});
  expect([told.kinds, told.on]).toEqual([['limit-reached'], false]);
  expect(told.lines[0]).toBe('BUG: MAX_LOCK_DEPTH too low!');
});

test('3,000 classes, 20,000 dependencies, 40,000 chains without a word; a cycle through 1,000 classes is found', () => {
  const told = run('large', { arenaBytes: 128 << 20, lockdepEntries: 100_000 });
  expect([told.kinds, told.on]).toEqual([['circular-dependency'], true]);
});
