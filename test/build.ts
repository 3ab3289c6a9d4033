/** Builds before the tests: workers and the command line run from dist/, and a stale one would have other layouts. */
import { execFileSync } from 'node:child_process';

export default function build(): void {
  execFileSync('npm', ['run', '-s', 'build'], { stdio: 'inherit', shell: process.platform === 'win32' });
}
