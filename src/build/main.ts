/**
 * The build after tsc: constants are put in as numbers (fold-constants.ts), kernel functions announce themselves (instrument.ts), and the stepped form of the kernel is
 * written (stepped/main.ts).
 * Usage: `node dist/src/build/main.js`, from anywhere; says nothing when all is well.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Constants, foldableExports, foldConstants } from './fold-constants.ts';
import { instrument, isInstrumented } from './instrument.ts';
import { sourceOf } from './source-lines.ts';
import { SteppedBuildError } from './stepped/analysis.ts';
import { buildStepped } from './stepped/main.ts';

const source = join(dirname(fileURLToPath(import.meta.url)), '..');
const kernel = join(source, 'kernel');

/** The compiled modules of the kernel as tsc wrote them; none when all are finished already. */
function freshModules(): Map<string, string> {
  const fresh = new Map<string, string>();
  for (const entry of readdirSync(kernel, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.js')) continue;
    const file = join(entry.parentPath, entry.name);
    const code = readFileSync(file, 'utf8');
    if (!isInstrumented(code)) fresh.set(file, code);
  }
  return fresh;
}

const fresh = freshModules();
const offered = new Map<string, Constants | undefined>();
if (fresh.size > 0) {
  // Loading the kernel declares all its structs. Its memory belongs to this process and goes away with it.
  for (const scenario of ['scenarios/index.js', 'mm/ksm.js']) await import(pathToFileURL(join(kernel, scenario)).href);
  const { declaredLayouts } = await import('../machine/layout.ts');
  const constantsOf = (file: string): Constants | undefined => {
    if (!offered.has(file))
      offered.set(file, file.startsWith(kernel) ? foldableExports(readFileSync(file, 'utf8'), declaredLayouts()) : undefined);
    return offered.get(file);
  };
  const finished = new Map<string, string>();
  for (const [file, code] of fresh) {
    const shadowStack = relative(dirname(file), join(source, 'machine', 'shadow-stack.js'));
    const name = `src/${relative(source, file).replace(/\.js$/, '.ts')}`;
    const { text, lineOf } = sourceOf(`${file}.map`);
    finished.set(file, instrument(foldConstants(code, file, constantsOf), name, shadowStack, lineOf, text));
  }
  for (const [file, code] of finished) {
    // Written beside and renamed, so that a build running at the same time never shows half a file.
    writeFileSync(`${file}.${process.pid}`, code);
    renameSync(`${file}.${process.pid}`, file);
  }
}

try {
  buildStepped(join(source, '..'));
} catch (error) {
  if (!(error instanceof SteppedBuildError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
