/** The hash of the stepped kernel code, written by the build: schedules, corpora and certificates belong to it. */
import { readFileSync } from 'node:fs';

/** Eight hexadecimal digits. */
export function codeHash(): string {
  return readFileSync(new URL('../../../stepped/code-hash.txt', import.meta.url), 'utf8').trim();
}
