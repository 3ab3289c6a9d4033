/** The scenarios of merging and of memory running out, searched by all strategies and explored to a bound. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);

async function ksmrace(...args: string[]): Promise<{ code: number; out: string }> {
  try {
    const { stdout } = await run(process.execPath, ['dist/src/cli/main.js', ...args], { maxBuffer: 1 << 24 });
    return { code: 0, out: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, out: stdout };
  }
}

for (const variant of ['write', 'unmerge', 'merge', 'fork']) {
  test(`ksm-merge, ${variant}: silent under all strategies with three tasks, and up to 2 preemptions with two`, async () => {
    const merge = ['--scenario', 'ksm-merge', '--variant', variant, '--pages', '2', '--workers', '1', '--quiet', '--expect', 'silent'];
    const fuzz = await ksmrace('fuzz', ...merge, '--tasks', '3', '--strategy', 'portfolio', '--schedules', '1000', '--seed', '5');
    expect(fuzz.code, fuzz.out).toBe(0);
    // Those that are not in the portfolio.
    for (const strategy of ['urw', 'round-robin']) {
      const alone = await ksmrace('fuzz', ...merge, '--tasks', '3', '--strategy', strategy, '--schedules', '150', '--seed', '6');
      expect(alone.code, alone.out).toBe(0);
    }
    const proof = await ksmrace('explore', ...merge, '--tasks', '2', '--preemptions', '2');
    expect(proof.code, proof.out).toBe(0);
  });
}

test('ksm-merge: frames run out at one allocation after the other, in every schedule with a preemption', async () => {
  // One frame holds all pages; each further one lets one more write or break through.
  for (const frames of ['1', '2', '3']) {
    const { code, out } = await ksmrace(
      ...['explore', '--scenario', 'ksm-merge', '--variant', 'unmerge', '--pages', '2', '--frames', frames, '--preemptions', '1'],
      ...['--check-pages', '--workers', '1', '--quiet'],
    );
    expect(code, out).toBe(0);
  }
});

test('oom-2009: the deadlock of the old kernel is found with both stacks, within one preemption', async () => {
  const { code, out } = await ksmrace(
    'fuzz',
    '--scenario',
    'oom-2009',
    '--variant',
    'pre-fix',
    '--schedules',
    '300',
    '--seed',
    '1',
    '--workers',
    '1',
  );
  expect(code).toBe(2);
  expect(out).toContain('deadlock');
  expect(out).toContain('__alloc_pages_slowpath()');
  expect(out).toContain('__ksm_exit_2009()');
  expect(out).toContain('holds ksm_thread_mutex');
  const proof = await ksmrace(
    'explore',
    '--scenario',
    'oom-2009',
    '--variant',
    'pre-fix',
    '--preemptions',
    '1',
    '--workers',
    '1',
    '--quiet',
  );
  expect(proof.code).toBe(2);
});

test('oom-2009: today nothing hangs', async () => {
  const { code, out } = await ksmrace(
    'explore',
    '--scenario',
    'oom-2009',
    '--variant',
    'fixed',
    '--preemptions',
    '1',
    '--workers',
    '1',
    '--quiet',
  );
  expect(code, out).toBe(0);
});
