/** `ksmrace stress` with scenarios that have no shape of their own: their tasks on real threads, as a user runs them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Summary } from '../../src/lab/summary.ts';
import { type Ended, folder, run } from './command-line.ts';

const stress = (...argv: string[]): Promise<Ended> => run('stress', ...argv);

describe('oom-2009', () => {
  it('pre-fix: the pass waits in the allocator, the process that was killed for it at the mutex of the pass', async () => {
    const argv = ['--scenario', 'oom-2009', '--variant', 'pre-fix', '--seconds', '60', '--hung-task-seconds', '1'];
    const { code, stdout } = await stress(...argv, '--json', '--out', 'old');
    expect(code).toBe(2);
    const summary = JSON.parse(stdout) as Summary;
    expect(summary).toMatchObject({ scenario: 'oom-2009', variant: 'pre-fix', workers: 2, partial: true, reports: 1, trialsWithReport: 1 });
    expect(summary.signatures).toMatchObject([{ kind: 'hung-task', count: 1 }]);
    const [id] = readdirSync(join(folder, 'old', 'reports')) as [string];
    const text = readFileSync(join(folder, 'old', 'reports', id, 'report.txt'), 'utf8');
    expect(text).toContain('INFO: task process:101 blocked for more than 1 seconds.');
    expect(text).toMatch(/task:process state:D [\s\S]* __ksm_exit_2009\+src\S+\n do_exit_2009\+/);
    expect(text).toMatch(/task:scanner state:\S [\s\S]* __alloc_pages_slowpath\+src\S+\n[\s\S]* break_ksm\+[\s\S]* run_store_2009\+/);
    expect(text).toMatch(/2 locks held by scanner\/100:\n #0: \S+ \(ksm_thread_mutex\)/);
  });

  it('fixed: silent, trial after trial, and every object is back', async () => {
    const { code, stdout } = await stress('--scenario', 'oom-2009', '--variant', 'fixed', '--trials', '1500', '--pages', '8', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ trials: 1500, exits: 1500, reports: 0, settings: { tasks: 2, pages: 8 } });
  });
});

it.each(['write', 'unmerge', 'merge', 'fork'])(
  'ksm-merge, %s: three threads, content and counters looked at behind each trial',
  async (variant) => {
    const { code, stdout } = await stress(
      ...['--scenario', 'ksm-merge', '--variant', variant, '--tasks', '3', '--pages', '4', '--trials', '300', '--check', 'all', '--json'],
    );
    expect(JSON.parse(stdout)).toMatchObject({ trials: 300, reports: 0, workers: 3 });
    expect(code).toBe(0);
  },
);

it('what a scenario says is broken is a finding, and its fixed variant has none', async () => {
  // Two threads take the same item; the window is wide enough with delays.
  const broken = await stress('--scenario', 'atomicity', '--seconds', '30', '--delay', 'random', '--until-report', '--json');
  expect(broken.code).toBe(2);
  const { signatures, trials, trialsWithReport } = JSON.parse(broken.stdout) as Summary;
  expect(signatures).toMatchObject([{ kind: 'invariant', title: 'the only item was taken more than once', count: 1 }]);
  expect(signatures[0]?.first.trial).toBe(trials);
  expect(trialsWithReport).toBe(1);
  const fixed = await stress(
    '--scenario',
    'atomicity',
    '--variant',
    'fixed',
    '--trials',
    '2000',
    '--delay',
    'random',
    '--expect',
    'silent',
  );
  expect(fixed.code).toBe(0);
});

it('a lock order that is reported many times, and then hangs, keeps what led to each', async () => {
  const { code, stdout } = await stress('--scenario', 'ab-ba', '--seconds', '30', '--hung-task-seconds', '0.5', '--json');
  expect(code).toBe(2);
  const summary = JSON.parse(stdout) as Summary;
  expect(summary.failure).toBeUndefined();
  expect(summary.signatures.map(({ kind }) => kind)).toContain('circular-dependency');
});

it.each([
  [['--scenario', 'oom-2010'], '--scenario oom-2010 is not one of ksm-exit, ksm-merge, oom-2009'],
  [['--scenario', 'oom-2009', '--variant', 'unfixed'], '--variant unfixed is not one of pre-fix, fixed'],
  [['--scenario', 'oom-2009', '--shape', 'organic'], '--shape organic is for --scenario ksm-exit'],
  [['--scenario', 'oom-2009', '--delay', 'aimed'], '--delay aimed is for --scenario ksm-exit'],
  [['--scenario', 'oom-2009', '--toggle', '1:1ms,2:1ms'], '--toggle 1:1ms,2:1ms is for --shape organic'],
  [['--scenario', 'oom-2009', '--tasks', '3'], '--tasks 3 is out of range: it must be from 2 to 2'],
  [
    ['--scenario', 'ksm-merge', '--tasks', '3', '--workers', '4'],
    '--workers 4 is no multiple of 3: ksm-merge needs a thread for each task',
  ],
  [['--tasks', '2'], '--tasks 2 is for other scenarios than ksm-exit'],
])('%j is refused with one sentence', async (argv, sentence) => {
  const { code, stdout, stderr } = await stress(...argv);
  expect(stderr).toContain(`ksmrace: ${sentence}`);
  expect(stderr.trimEnd()).not.toContain('\n');
  expect(stdout).toBe('');
  expect(code).toBe(1);
});
