/** The hash of the code that a search runs: schedules, corpora and certificates belong to it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Subject } from './session.ts';

/** The kernel's code, written by the build, and that of a variant of the user's own. */
export interface Code {
  /** Hash of the user's files; absent: none. */
  readonly variantHash?: string | undefined;
}

/** Hash of what a subject runs: eight hexadecimal digits. */
export function codeHash({ workload }: Subject, { variantHash }: Code): string {
  const kernel = readFileSync(new URL('../../../stepped/code-hash.txt', import.meta.url), 'utf8').trim();
  if (workload.variant !== 'user' || variantHash === undefined) return kernel;
  return createHash('sha256').update(`${kernel} ${variantHash}`).digest('hex').slice(0, 8);
}
