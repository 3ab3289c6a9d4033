/** `ksmrace stress` and `demo` as a user has them: built, in a process of their own. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Summary } from '../../src/lab/summary.ts';
import { folder, run, variant } from './command-line.ts';

const GOOD = `export function unmerge_vmas(kernel, mm) {
  if (kernel.ksm_test_exit(mm)) return 0;
  const vmi = kernel.vma_iter_init(mm);
  for (let vma = kernel.vma_next(vmi); vma !== 0; vma = kernel.vma_next(vmi)) {
    const error = kernel.vma_is_mergeable(vma) ? kernel.unmerge_vma_pages(vma) : 0;
    if (error !== 0) return error;
  }
  return 0;
}`;

describe.concurrent('bad usage', () => {
  it.each([
    [['strss'], 'unknown command strss (did you mean stress?)'],
    [['stress', '--vmsa', '1'], 'unknown option --vmsa for stress (did you mean --vmas?)'],
    [['stress', '--vmas', '0'], '--vmas 0 is out of range: it must be from 1 to '],
    [['stress', '--vmas', '-3'], '--vmas -3 is out of range'],
    [['stress', '--vmas', '1e9'], '--vmas 1e9 is not a whole number'],
    [['stress', '--vmas', '999999999'], '--vmas 999999999 is out of range'],
    [['stress', '--vmas', '1000000'], 'shared memory exhausted'],
    [['stress', '--arena', '1'], 'shared memory exhausted'],
    [['stress', '--arena', '0'], '--arena 0 is out of range'],
    [['stress', '--seconds', '0'], '--seconds 0 is out of range'],
    [['stress', '--seconds', 'soon'], '--seconds soon is not a number'],
    [['stress', '--trials', '0'], '--trials 0 is out of range'],
    [['stress', '--workers', '3'], '--workers 3 is odd'],
    [['stress', '--workers', '1000'], '--workers 1000 is out of range'],
    [['stress', '--shape', 'round'], '--shape round is not one of paired, organic'],
    [['stress', '--delay', 'aimd'], '--delay aimd is not one of none, random, aimed (did you mean aimed?)'],
    [['stress', '--toggle', '1:20ms,2:0ms'], '--toggle 1:20ms,2:0ms is for --shape organic'],
    [['stress', '--shape', 'organic', '--toggle', '3:1ms,2:0ms'], '--toggle 3:1ms,2:0ms is not a list'],
    [['stress', '--shape', 'organic', '--toggle', '2:1ms'], '--toggle 2:1ms never changes the value'],
    [['stress', '--scenario', 'ksm'], '--scenario ksm is not one of ksm-exit'],
    [['stress', '--variant', 'fixd'], '--variant fixd is not one of unfixed, fixed, both, linked-list, nor a file (did you mean fixed?)'],
    [['stress', '--variant', './none.mjs'], '--variant ./none.mjs: there is no such file'],
    [['stress', '--expect', 'peace'], '--expect peace is not one of report, silent'],
    [['stress', '--out', '/proc/x/y'], "--out /proc/x/y can't be written"],
    [['stress', '--out'], '--out needs a value (DIR)'],
    [['stress', '--check', 'heep'], '--check heep is not a list of heap, refs, pages, nor all or none (did you mean heap?)'],
    [['stress', '--check', 'heap,none'], '--check heap,none: all and none stand alone'],
    [['stress', '--hung-task-seconds', '0'], '--hung-task-seconds 0 is out of range'],
    [['stress', '--lockdep-classes', '70000'], '--lockdep-classes 70000 is out of range: it must be from 4 to 65535'],
    [['stress', '--lockdep', 'off', '--lockdep-chains', '100'], '--lockdep-chains 100 is of no use with --lockdep off'],
    [['stress', '--watch'], '--watch is for --shape organic'],
    [['stress', '--shape', 'organic', '--watch', '--json'], '--watch and --json exclude each other'],
    [['stress', '--shape', 'organic', '--watch', '--quiet'], '--watch and --quiet exclude each other'],
    [['stress', '--page-bytes', '100'], '--page-bytes 100 is no power of two'],
    [['stress', '--page-bytes', '8192'], '--page-bytes 8192 is out of range: it must be from 64 to 4096'],
    [['stress', '--scenario', 'oom-2009', '--page-bytes', '64'], '--page-bytes 64 is for --scenario ksm-exit'],
    [['stress', '--frames', '0'], '--frames 0 is out of range'],
    [['fuzz', '--scenario', 'ab-ba', '--frames', '3'], '--frames 3 is of no use: scenario ab-ba has no pages'],
    [['report'], 'DIR is missing'],
    [['report', 'nowhere'], 'nowhere is not a directory'],
    [['demo', '--seed', 'x'], '--seed x is not a whole number'],
  ])('%j is refused with one sentence', async (argv, sentence) => {
    const { code, stdout, stderr } = await run(...argv);
    expect(stderr).toContain(`ksmrace: ${sentence}`);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  it.each([
    ['broken.mjs', 'export function ( {', 'does not load'],
    ['lacks.mjs', 'export const other = 1;', 'exports no function unmerge_vmas'],
    ['throws.mjs', 'export function unmerge_vmas() { throw new Error("no idea"); }', 'threw: no idea'],
    ['returns.mjs', 'export function unmerge_vmas() { return "x"; }', 'returned x'],
  ])("the variant module %s is the user's to mend, and nothing is left behind", async (name, text, sentence) => {
    const { code, stderr } = await run('stress', '--variant', variant(name, text), '--seconds', '5', '--out', `left-${name}`);
    expect(stderr).toContain(`ksmrace: --variant ${name}: `);
    expect(stderr).toContain(sentence);
    expect(code).toBe(1);
    expect(existsSync(join(folder, `left-${name}`))).toBe(false);
  });
});

describe('a run', () => {
  it('prints the object of the interface, and exits by what it found', async () => {
    const { code, stdout } = await run('stress', '--trials', '3000', '--scanned', 'yes', '--delay', 'random', '--seed', '7', '--json');
    const summary = JSON.parse(stdout) as Summary;
    expect(code).toBe(2);
    expect(summary).toMatchObject({
      command: 'stress',
      scenario: 'ksm-exit',
      variant: 'unfixed',
      seed: 7,
      workers: 2,
      trials: 3000,
      exits: 3000,
      passes: 3000,
    });
    const { total, slotLeftBehind, destroyedWhileWaiting, cursorWindow } = summary.hits;
    expect(total).toBeGreaterThan(0);
    expect(slotLeftBehind + destroyedWhileWaiting + cursorWindow).toBe(total);
    expect(summary.reports).toBe(total);
    expect(summary.signatures).toHaveLength(1);
    expect(summary.signatures[0]).toMatchObject({ kind: 'suspicious-rcu-usage', count: total });
  });

  it.each(['fixed', 'both', 'linked-list'])('%s meets the destroyed tree and stays silent', async (name) => {
    const { code, stdout } = await run(
      'stress',
      '--variant',
      name,
      '--trials',
      '3000',
      '--scanned',
      'yes',
      '--delay',
      'random',
      '--expect',
      'silent',
      '--json',
    );
    const summary = JSON.parse(stdout) as Summary;
    expect(code).toBe(0);
    expect(summary.hits.total).toBeGreaterThan(0);
    expect(summary.reports).toBe(0);
  });

  it('says when a table of the validator is full', async () => {
    const { code, stdout } = await run('stress', '--lockdep-entries', '4', '--trials', '50', '--variant', 'fixed', '--check', 'all');
    expect(stdout).toContain('BUG: MAX_LOCKDEP_ENTRIES too low!');
    expect(code).toBe(2);
  });

  it('is silent under all checkers where nothing is wrong', async () => {
    const { code, stdout } = await run('stress', '--trials', '2000', '--variant', 'fixed', '--check', 'all', '--scanned', 'yes', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ trials: 2000, reports: 0, settings: { check: 'heap,refs,pages' } });
    expect(code).toBe(0);
  });

  it("plays a variant of the user's", async () => {
    const { code, stdout } = await run(
      'stress',
      '--variant',
      variant('good.mjs', GOOD),
      '--trials',
      '2000',
      '--scanned',
      'yes',
      '--delay',
      'random',
      '--quiet',
    );
    expect(stdout).toMatch(/variant good\.mjs/);
    expect(stdout).toMatch(/Observation ksm-exit Never 0 2000 /);
    expect(code).toBe(0);
  });

  it('keeps results that report reads, alone and added up', async () => {
    const first = await run('stress', '--trials', '500', '--scanned', 'yes', '--delay', 'random', '--out', 'one');
    expect(first.stdout).toContain('WARNING: suspicious RCU usage');
    expect(first.stdout).toContain('task 1\t\t\t\t\ttask 2');
    expect(first.stdout).toMatch(/\nReferences of ffff8880[0-9a-f]{8}, [\s\S]* mm_users -1 = 0 by process\/101 in mmput/);
    expect(first.stdout).toMatch(/\n\t{5} __mmput\(\)\n/);
    expect(first.stdout).not.toMatch(/function \d/);
    await run('stress', '--trials', '700', '--scanned', 'yes', '--delay', 'random', '--out', 'two');
    const [id] = readdirSync(join(folder, 'one', 'reports')) as [string];
    expect(readdirSync(join(folder, 'one', 'reports', id)).sort()).toEqual(['diagram.txt', 'env.json', 'report.txt', 'trace.json']);
    expect(readFileSync(join(folder, 'one', 'summary.txt'), 'utf8')).toMatch(/\nObservation ksm-exit Sometimes \d+ \d+ \(/);
    const sum = await run('report', 'one', 'two', '--json', '--html', 'page.html');
    expect(JSON.parse(sum.stdout)).toMatchObject({ trials: 1200, variant: 'unfixed' });
    expect(sum.code).toBe(0);
    expect(readFileSync(join(folder, 'page.html'), 'utf8')).toContain('suspicious RCU usage');
    const again = await run('stress', '--trials', '5', '--out', 'one');
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('--out one holds the results of another run already');
  });

  it('goes on with more tasks than cores', async () => {
    const { code, stdout } = await run('stress', '--workers', '8', '--trials', '4000', '--variant', 'fixed', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ workers: 8, trials: 4000, exits: 4000 });
  });

  it("shows KSM's counters, a line a second where no terminal is", async () => {
    const { code, stdout } = await run('stress', '--shape', 'organic', '--seconds', '2.5', '--variant', 'fixed', '--life', '40', '--watch');
    const lines = stdout.split('\n').filter((line) => /^\d+ s {2}pages_shared /.test(line));
    expect(lines.length).toBeGreaterThanOrEqual(1);
    expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBe(lines.length);
    for (const line of lines) {
      const value = (name: string) => Number(new RegExp(` ${name} (\\d+)`).exec(line)?.[1]);
      const parts = ['pages_shared', 'pages_sharing', 'pages_unshared', 'pages_volatile'].map(value);
      expect(parts.reduce((a, b) => a + b)).toBe(value('rmap_items'));
      for (const name of ['stable_node_chains', 'stable_node_dups', 'full_scans', 'run']) expect(value(name)).toBeGreaterThanOrEqual(0);
    }
    expect(code).toBe(0);
  });

  it('kills processes when frames run out, and every object comes back', async () => {
    const { code, stdout } = await run(
      ...['stress', '--shape', 'organic', '--frames', '80', '--page-bytes', '256', '--trials', '2000', '--variant', 'fixed'],
      ...['--workers', '6', '--life', '1', '--rest', '1', '--toggle', '1:2ms,2:0ms', '--check', 'all', '--json'],
    );
    const summary = JSON.parse(stdout) as Summary;
    expect(summary).toMatchObject({ trials: 2000, reports: 0, settings: { frames: 80, 'page bytes': 256 } });
    expect(summary.killed).toBeGreaterThan(0);
    expect(code).toBe(0);
  });

  it('plays the organic shape, and gives back every object', async () => {
    const { code, stdout } = await run('stress', '--shape', 'organic', '--trials', '300', '--vmas', '3', '--json');
    const summary = JSON.parse(stdout) as Summary;
    expect(summary.failure).toBeUndefined();
    expect(summary.trials).toBe(300);
    expect(summary.visits).toBeGreaterThan(0);
    expect(code).toBe(summary.reports > 0 ? 2 : 0);
  });
});

describe('demo', () => {
  it('tells the story: unfixed reports, fixed is silent', async () => {
    const { code, stdout } = await run('demo', '--seed', '1');
    expect(stdout).toContain('WARNING: suspicious RCU usage');
    expect(stdout).toMatch(
      /demo: unfixed reported in trial [\d,]+; fixed met the destroyed tree [\d,]+ times in [\d,]+ trials and stayed silent\n$/,
    );
    expect(stdout).toMatch(/ksmrace replay k1-\S+\n/);
    expect(code).toBe(0);
  });
});
