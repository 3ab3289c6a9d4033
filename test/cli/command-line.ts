/** The built command line in a process of its own, with a folder of its own: for tests that use it as a user does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const MAIN = new URL('../../dist/src/cli/main.js', import.meta.url).pathname;

/** Where the commands run; gone after the test file. */
export const folder: string = mkdtempSync(join(tmpdir(), 'ksmrace-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Seconds from `since` to the end. */
  seconds: number;
}

/** Starts a command. `mark` sets the moment from which `seconds` are counted. */
export function start(...argv: string[]): { child: ChildProcess; ended: Promise<Ended>; mark: () => void } {
  const child = spawn(process.execPath, [MAIN, ...argv], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  let since = performance.now();
  child.stdout?.on('data', (text) => (stdout += text));
  child.stderr?.on('data', (text) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr, seconds: (performance.now() - since) / 1000 }));
  });
  return { child, ended, mark: () => (since = performance.now()) };
}

/** Runs a command to its end. */
export const run = (...argv: string[]): Promise<Ended> => start(...argv).ended;

/** Writes a variant module; gives its name. */
export function variant(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return `./${name}`;
}
