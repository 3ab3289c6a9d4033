/**
 * The build after tsc: constants of machine and kernel are put in as numbers (fold-constants.ts), kernel functions announce themselves
 * (instrument.ts), and the stepped form of the kernel is written (stepped/main.ts).
 *
 * tsc compiles again only what changed, and a module does not change when a constant that was put into it does. So the
 * constants are kept beside the modules (dist/.constants): when they differ, everything is compiled again.
 * Usage: `node dist/src/build/main.js`, from anywhere; says nothing when all is well.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Constants, foldableExports, foldConstants } from './fold-constants.ts';
import { instrument, isInstrumented } from './instrument.ts';
import { sourceOf } from './source-lines.ts';
import { SteppedBuildError } from './stepped/analysis.ts';
import { buildStepped } from './stepped/main.ts';

const source = join(dirname(fileURLToPath(import.meta.url)), '..');
const kernel = join(source, 'kernel');
const machine = join(source, 'machine');
const root = join(source, '..', '..');
const constantsFile = join(source, '..', '.constants');
/** Set while everything is compiled again: once is enough. */
const AGAIN = 'KSMRACE_BUILD_AGAIN';

/** Stands in front of modules of the machine that are finished; those of the kernel say more (instrument.ts). */
const MARK = '/* constants are put in: build/fold-constants */';

/** The compiled modules of the machine and of the kernel. */
function compiledModules(): Map<string, string> {
  const modules = new Map<string, string>();
  for (const folder of [machine, kernel]) addModules(folder, modules);
  return modules;
}

function addModules(folder: string, modules: Map<string, string>): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.js')) continue;
    const file = join(entry.parentPath, entry.name);
    // tsc leaves the output of a source that is gone; nobody compiles it again.
    if (existsSync(join(root, 'src', relative(source, file).replace(/\.js$/, '.ts')))) modules.set(file, readFileSync(file, 'utf8'));
    else rmSync(file);
  }
}

/** Compiles everything again and finishes it, in a process that knows nothing of the old modules. */
function buildAgain(): never {
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-b', '--force'], { cwd: root, stdio: 'inherit' });
  execFileSync(process.execPath, [fileURLToPath(import.meta.url)], { stdio: 'inherit', env: { ...process.env, [AGAIN]: '1' } });
  process.exit();
}

/** Writes beside and renames, so that a build running at the same time never shows half a file. */
function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}

const modules = compiledModules();
/** As tsc wrote them; none when all are finished already. */
const fresh = new Map([...modules].filter(([, code]) => !isInstrumented(code) && !code.startsWith(MARK)));
const offered = new Map<string, Constants | undefined>();
if (fresh.size > 0) {
  // Loading the kernel declares all its structs. Its memory belongs to this process and goes away with it.
  for (const scenario of ['scenarios/index.js', 'mm/ksm.js']) await import(pathToFileURL(join(kernel, scenario)).href);
  const { declaredLayouts } = await import('../machine/layout.ts');
  const constantsOf = (file: string): Constants | undefined => {
    if (!offered.has(file))
      offered.set(file, modules.has(file) ? foldableExports(readFileSync(file, 'utf8'), declaredLayouts()) : undefined);
    return offered.get(file);
  };
  const constants = JSON.stringify([...modules.keys()].sort().map((file) => [relative(source, file), ...(constantsOf(file) ?? [])]));
  const others = fresh.size < modules.size && process.env[AGAIN] === undefined;
  if (others && (!existsSync(constantsFile) || readFileSync(constantsFile, 'utf8') !== constants)) buildAgain();
  const finished = new Map<string, string>();
  for (const [file, code] of fresh) {
    const folded = foldConstants(code, file, constantsOf);
    if (file.startsWith(machine)) {
      finished.set(file, `${MARK} ${folded}`);
      continue;
    }
    const shadowStack = relative(dirname(file), join(source, 'machine', 'shadow-stack.js'));
    const name = `src/${relative(source, file).replace(/\.js$/, '.ts')}`;
    const { text, lineOf } = sourceOf(`${file}.map`);
    finished.set(file, instrument(folded, name, shadowStack, lineOf, text));
  }
  for (const [file, code] of finished) replaceFile(file, code);
  replaceFile(constantsFile, constants);
}

try {
  buildStepped(join(source, '..'));
} catch (error) {
  if (!(error instanceof SteppedBuildError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
