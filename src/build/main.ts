/**
 * The build after tsc: kernel functions announce themselves (instrument.ts), and the stepped form of the kernel is
 * written (stepped/main.ts).
 * Usage: `node dist/src/build/main.js`, from anywhere; says nothing when all is well.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { instrument, isInstrumented } from './instrument.ts';
import { lineMapper } from './source-lines.ts';
import { SteppedBuildError } from './stepped/analysis.ts';
import { buildStepped } from './stepped/main.ts';

const source = join(dirname(fileURLToPath(import.meta.url)), '..');
const kernel = join(source, 'kernel');

for (const entry of readdirSync(kernel, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.js')) continue;
  const file = join(entry.parentPath, entry.name);
  const code = readFileSync(file, 'utf8');
  if (isInstrumented(code)) continue;
  const shadowStack = relative(dirname(file), join(source, 'machine', 'shadow-stack.js'));
  const name = `src/${relative(source, file).replace(/\.js$/, '.ts')}`;
  const done = instrument(code, name, shadowStack, lineMapper(`${file}.map`));
  // Written beside and renamed, so that a build running at the same time never shows half a file.
  writeFileSync(`${file}.${process.pid}`, done);
  renameSync(`${file}.${process.pid}`, file);
}

try {
  buildStepped(join(source, '..'));
} catch (error) {
  if (!(error instanceof SteppedBuildError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
