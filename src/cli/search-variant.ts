/** A variant module of the user's, for stepped threads. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SteppedBuildError } from '../build/stepped/analysis.ts';
import { stepUserVariant } from '../build/stepped/user-variant.ts';
import { UsageError } from '../lab/errors.ts';
import { quoted } from './arguments.ts';

/**
 * Writes the stepped form of a module.
 * @param text  the value of --variant
 * @returns its URL
 * @throws UsageError
 */
export function steppedVariantModule(text: string): string {
  const file = resolve(text);
  let code: string;
  try {
    code = readFileSync(file, 'utf8');
  } catch {
    throw new UsageError(`--variant ${quoted(text)}: there is no such file`);
  }
  try {
    const stepped = stepUserVariant(code, pathToFileURL(file).href);
    const folder = join(tmpdir(), 'ksmrace-variants');
    mkdirSync(folder, { recursive: true });
    const to = join(folder, `${createHash('sha256').update(stepped).digest('hex').slice(0, 16)}.mjs`);
    writeFileSync(to, stepped);
    return pathToFileURL(to).href;
  } catch (error) {
    if (error instanceof SteppedBuildError) throw new UsageError(`--variant ${quoted(text)}: ${error.message}`);
    throw error;
  }
}
