/** The validator's /proc files: the layout of a real kernel's, and numbers that agree with each other. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { current } from '../../src/kernel/include/task_struct.ts';
import { lockdep_init_task } from '../../src/kernel/locking/lockdep/asserts.ts';
import { DEFINE_MUTEX, mutex_lock, mutex_unlock } from '../../src/kernel/locking/mutex.ts';
import { DEFINE_SPINLOCK, spin_lock, spin_unlock } from '../../src/kernel/locking/spinlock.ts';
import { lockdepChainsText, lockdepStatsText, lockdepText } from '../../src/lab/proc-lockdep.ts';

const outer = DEFINE_MUTEX('outer_mutex');
const inner = DEFINE_SPINLOCK('inner_lock');
lockdep_init_task(current());
for (let i = 0; i < 3; i++) {
  mutex_lock(outer);
  spin_lock(inner);
  spin_unlock(inner);
  mutex_unlock(outer);
}

/** Label and column at which its number ends. */
function layout(text: string): string[] {
  return text.split('\n').map((line) => {
    const [, head = '', label = ''] = /^( ([^:]+): +\d+)/.exec(line) ?? [];
    return `${label} ${head.length} ${/\[max: \d+\]$/.test(line)}`;
  });
}

function number(label: string): number {
  return Number(new RegExp(`^ ${label}: +(\\d+)`, 'm').exec(lockdepStatsText())?.[1]);
}

test('lockdep_stats has the lines of the real one', () => {
  const real = gunzipSync(readFileSync(new URL('../fixtures/lockdep/lockdep_stats.txt.gz', import.meta.url))).toString('utf8');
  const kept = layout(real).filter((line) => !/^(zapped lock chains|large chain blocks) /.test(line));
  expect(layout(lockdepStatsText())).toEqual(kept);
});

test('its numbers are those of what was done', () => {
  expect(number('lock-classes')).toBe(2);
  expect(number('direct dependencies')).toBe(2);
  expect(number('dependency chains')).toBe(2);
  expect(number('in-process chains')).toBe(2);
  expect(number('max locking depth')).toBe(2);
  expect(number('chain lookup misses')).toBe(2);
  expect(number('chain lookup hits')).toBe(4);
  expect(number('debug_locks')).toBe(1);
});

test('lockdep lists classes with use, reach and what is taken next', () => {
  const lines = lockdepText().split('\n');
  expect(lines[0]).toBe('all lock classes:');
  expect(lines[1]).toMatch(/^ffff8880[0-9a-f]{8} OPS: {7}3 FD: {4}2 BD: {4}1 \+\.\+\.: outer_mutex$/);
  expect(lines[2]).toMatch(/^ -> \[ffff8880[0-9a-f]{8}\] inner_lock$/);
  expect(lines[4]).toMatch(/^ffff8880[0-9a-f]{8} OPS: {7}3 FD: {4}1 BD: {4}2 \+\.\+\.: inner_lock$/);
});

test('lockdep_chains lists the chains', () => {
  expect(lockdepChainsText().replace(/ffff8880[0-9a-f]{8}/g, 'KEY')).toBe(
    'all lock chains:\nirq_context: 0\n[KEY] outer_mutex\n\nirq_context: 0\n[KEY] outer_mutex\n[KEY] inner_lock\n\n',
  );
});
