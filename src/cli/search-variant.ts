/** A variant module of the user's, for stepped threads. */
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SteppedBuildError } from '../build/stepped/analysis.ts';
import { type SteppedFile, stepUserVariant } from '../build/stepped/user-variant.ts';
import { readVariantFiles } from '../build/stepped/variant-files.ts';
import { UsageError } from '../lab/errors.ts';
import type { SearchBoot } from '../lab/search/pool.ts';
import { quoted } from './arguments.ts';

/**
 * Writes the stepped form of a module, and of what it imports of the user's.
 * @param text  the value of --variant
 * @throws UsageError
 */
export function steppedVariantModule(text: string): Required<Pick<SearchBoot, 'variantModule' | 'variantHash' | 'plainVariantModule'>> {
  const file = resolve(text);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
    throw new UsageError(`--variant ${quoted(text)}: there is no such file`);
  try {
    const files = readVariantFiles(file);
    return {
      variantModule: pathToFileURL(writeAll(stepUserVariant(files))).href,
      variantHash: files.hash,
      plainVariantModule: pathToFileURL(file).href,
    };
  } catch (error) {
    if (error instanceof SteppedBuildError) throw new UsageError(`--variant ${quoted(text)}: ${error.message}`);
    throw error;
  }
}

/** Into a folder named for the contents, so that what is there already is the same. @returns the first file */
function writeAll(files: readonly SteppedFile[]): string {
  const hash = createHash('sha256');
  for (const { name, code } of files) hash.update(`${name}\0${code}\0`);
  const folder = join(tmpdir(), 'ksmrace-variants', hash.digest('hex').slice(0, 16));
  mkdirSync(folder, { recursive: true });
  for (const { name, code } of files) {
    const to = join(folder, name);
    writeFileSync(`${to}.${process.pid}`, code);
    renameSync(`${to}.${process.pid}`, to);
  }
  return join(folder, (files[0] as SteppedFile).name);
}
