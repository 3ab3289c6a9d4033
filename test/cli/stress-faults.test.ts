/** `ksmrace stress` when something goes wrong, or somebody has enough: as a user sees it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Summary } from '../../src/lab/summary.ts';
import { folder, run, start, variant } from './command-line.ts';

/** Waits until a run has written that it made trials. */
async function firstTrials(out: string): Promise<void> {
  const file = join(folder, out, 'summary.json');
  const made = () => existsSync(file) && ((JSON.parse(readFileSync(file, 'utf8')) as Summary).trials ?? 0) > 0;
  while (!made()) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('faults', () => {
  it.each([['paired'], ['organic']])('Ctrl-C ends a %s run within a second, with the summary so far', async (shape) => {
    const out = `stopped-${shape}`;
    const { child, ended, mark } = start('stress', '--shape', shape, '--seconds', '60', '--variant', 'fixed', '--out', out, '--json');
    await firstTrials(out);
    mark();
    child.kill('SIGINT');
    const { code, stdout, seconds } = await ended;
    expect(seconds).toBeLessThan(20); // a hang would last until --seconds
    expect(code).toBe(0);
    const summary = JSON.parse(stdout) as Summary;
    expect(summary.partial).toBe(true);
    expect(summary.trials).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(join(folder, out, 'summary.json'), 'utf8'))).toEqual(summary);
  });

  it('a thread that dies ends the run with exit code 3, and what was counted is kept', async () => {
    const dies = variant('dies.mjs', 'let n = 0; export function unmerge_vmas() { if (++n > 300) process.exit(5); return 0; }');
    const { code, stderr, seconds } = await run('stress', '--variant', dies, '--seconds', '30', '--out', 'died');
    expect(code).toBe(3);
    expect(stderr).toContain('the thread of scanner died');
    expect(seconds).toBeLessThan(10);
    const summary = JSON.parse(readFileSync(join(folder, 'died', 'summary.json'), 'utf8')) as Summary;
    expect(summary.trials).toBeGreaterThanOrEqual(300);
    expect(summary.failure).toContain('the thread of scanner died');
  });

  const KERNEL = new URL('../../dist/src/kernel/', import.meta.url).href;

  it('a deadlock ends the run with exit code 2, all call stacks and the held locks', async () => {
    const locks = variant(
      'locks.mjs',
      `import { mutex_lock } from '${KERNEL}locking/mutex.js';
import { ksm_thread_mutex } from '${KERNEL}mm/ksm-types.js';
let n = 0;
export function unmerge_vmas() { if (++n > 50) mutex_lock(ksm_thread_mutex); return 0; }`,
    );
    const { code, stdout, seconds } = await run(
      ...['stress', '--variant', locks, '--seconds', '30', '--hung-task-seconds', '1', '--quiet', '--json', '--out', 'locked'],
    );
    expect(code).toBe(2);
    expect(seconds).toBeLessThan(20);
    const summary = JSON.parse(stdout) as Summary;
    expect(summary.failure).toBeUndefined();
    expect(summary.partial).toBe(true);
    const hung = summary.signatures.find(({ kind }) => kind === 'hung-task');
    const text = readFileSync(join(folder, 'locked', 'reports', hung?.id ?? '', 'report.txt'), 'utf8');
    expect(text).toContain('INFO: task scanner:102 blocked for more than 1 seconds.');
    expect(text).toMatch(/task:scanner state:D pid:102\nCall Trace:\n <TASK>\n [\s\S]* run_store\+src/);
    expect(text).toMatch(/task:process state:\S pid:101/);
    expect(text).toMatch(/Showing all locks held in the system:[\s\S]*held by scanner\/102:[\s\S]*ksm_thread_mutex/);
  });

  it('a loop without end stays a failure', async () => {
    const loops = variant('hangs.mjs', 'let n = 0; export function unmerge_vmas() { if (++n > 50) for (;;); return 0; }');
    const { code, stderr } = await run('stress', '--variant', loops, '--seconds', '30', '--hung-task-seconds', '1');
    expect(stderr).toContain('the emulator failed: no progress for 1 s: ');
    expect(code).toBe(3);
  });

  const BREAKS = `import { KSM, ksm } from '${KERNEL}mm/ksm-types.js';
import { set } from '${new URL('../machine/door.js', KERNEL).href}';
let n = 0;
export function unmerge_vmas() { if (++n > 20) set(ksm, KSM.ksm_pages_sharing, 7); return 0; }`;

  it.each([
    ['paired', 'after trial 21 of pair 0 '],
    ['organic', 'after the last trial '],
  ])('books of KSM that do not agree are our bug: exit code 3 after the trial (%s)', async (shape, when) => {
    const argv = [
      'stress',
      '--shape',
      shape,
      '--variant',
      variant('breaks.mjs', BREAKS),
      '--scanned',
      'yes',
      '--trials',
      '400',
      '--seconds',
      '30',
    ];
    if (shape === 'organic') argv.splice(5, 2);
    const { code, stderr } = await run(...argv, '--check', 'pages', '--json');
    expect(stderr).toContain('the emulator failed: ');
    expect(stderr).toContain(`${when}KSM's books are wrong: `);
    expect(stderr).toContain('pages_shared and pages_sharing are not the number of items in the stable tree');
    expect(code).toBe(3);
    const unchecked = await run(...argv, '--check', 'none', '--json');
    expect(unchecked.code).toBe(0);
  });

  it('searches check them after each schedule', async () => {
    const argv = ['fuzz', '--variant', variant('breaks.mjs', BREAKS), '--schedules', '100', '--workers', '1', '--quiet'];
    const { code, stderr } = await run(...argv, '--check-pages');
    expect(stderr).toContain("KSM's books are wrong after a schedule");
    expect(code).toBe(3);
    expect((await run('explore', '--variant', 'fixed', '--preemptions', '1', '--workers', '1', '--quiet', '--check-pages')).code).toBe(0);
  });

  it('a leak is reported with who took the objects', async () => {
    const leaks = variant(
      'leaks.mjs',
      `import { mm_struct } from '${KERNEL}include/mm_types.js';
import { KMEM_CACHE, kmem_cache_alloc } from '${KERNEL}mm/slab.js';
const cache = KMEM_CACHE(mm_struct);
let n = 0;
export function unmerge_vmas() { if (++n === 5) kmem_cache_alloc(cache); return 0; }`,
    );
    const { code, stdout } = await run('stress', '--variant', leaks, '--trials', '500', '--check', 'heap');
    expect(stdout).toContain(
      'unreferenced objects: mm_struct: 1 live, 0 expected\n  1 allocated by scanner/102 in unmerge_and_remove_all_rmap_items',
    );
    expect(code).toBe(2);
  });

  it('Ctrl-C ends even a thread that never comes back', async () => {
    const loops = variant('loops.mjs', 'let n = 0; export function unmerge_vmas() { if (++n > 300) for (;;); return 0; }');
    const { child, ended, mark } = start('stress', '--variant', loops, '--seconds', '30', '--out', 'looped');
    await firstTrials('looped');
    mark();
    child.kill('SIGINT');
    const { code, seconds } = await ended;
    expect(seconds).toBeLessThan(20); // a hang would last until --seconds
    expect([0, 2]).toContain(code);
  });
});
