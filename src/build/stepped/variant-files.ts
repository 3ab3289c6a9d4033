/**
 * A user's variant module and the modules that it imports by path: what has to be stepped with it, and what a schedule of it
 * depends on beside the kernel.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parse } from 'acorn';
import { simple } from 'acorn-walk';
import { SteppedBuildError } from './analysis.ts';

// biome-ignore lint/suspicious/noExplicitAny: acorn's node types are unions that only get in the way of a walker
type Any = any;

/** What an import means: a module of the user's, one of ours (both by path), or anything else by its URL. */
export interface ImportTarget {
  readonly of: 'user' | 'ours' | 'others';
  readonly place: string;
}

export interface VariantFile {
  readonly path: string;
  readonly code: string;
  readonly ast: Any;
  /** The import declarations, exports from elsewhere, and literal `import()`s: node of the specifier, and what it means. */
  readonly imports: readonly { readonly statement: Any; readonly source: Any; readonly target: ImportTarget }[];
}

export interface VariantFiles {
  /** The module itself first. */
  readonly files: readonly VariantFile[];
  /** Hash of the contents of all of them, wherever they lie: 16 hexadecimal digits. */
  readonly hash: string;
}

/** The folder that holds our compiled `src/`, and the one above with the sources. */
const dist = realpathSync(fileURLToPath(new URL('../../../', import.meta.url)));
const project = dirname(dist);

/**
 * Reads a module and, through its imports, everything of the user's that belongs to it.
 * @throws SteppedBuildError for what is no module; a file that is not there is left for the loader to tell
 */
export function readVariantFiles(main: string): VariantFiles {
  const files: VariantFile[] = [];
  const hash = createHash('sha256');
  const seen = new Set<string>();
  const read = (path: string, isMain: boolean): boolean => {
    const code = readFileSync(path, 'utf8');
    let ast: Any;
    try {
      ast = parse(code, { ecmaVersion: 'latest', sourceType: 'module', locations: true });
    } catch (error) {
      if (isMain || /\.m?js$/.test(path))
        throw new SteppedBuildError(`${isMain ? '' : `${relative(dirname(main), path)}: `}${(error as Error).message}`);
    }
    hash.update(code).update('\0');
    if (ast === undefined) return false;
    const imports: { statement: Any; source: Any; target: ImportTarget }[] = [];
    const file: VariantFile = { path, code, ast, imports };
    files.push(file);
    for (const statement of importsOf(ast)) {
      let target = targetOf(statement.source.value as string, path);
      if (target.of === 'user' && !seen.has(target.place)) {
        seen.add(target.place);
        if (!read(target.place, false)) target = { of: 'others', place: pathToFileURL(target.place).href };
      }
      imports.push({ statement, source: statement.source, target });
    }
    return true;
  };
  seen.add(realpathSync(main));
  read(realpathSync(main), true);
  return { files, hash: hash.digest('hex').slice(0, 16) };
}

/** Statements and expressions that name another module. */
function importsOf(ast: Any): Any[] {
  const out = (ast.body as Any[]).filter((statement) => typeof statement.source?.value === 'string');
  simple(ast, {
    ImportExpression(node: Any) {
      if (typeof node.source.value === 'string') out.push(node);
    },
  });
  return out;
}

function targetOf(specifier: string, from: string): ImportTarget {
  let url: URL;
  if (isBuiltin(specifier)) return { of: 'others', place: specifier };
  try {
    url = /^(\.{0,2}\/|file:)/.test(specifier)
      ? new URL(specifier, pathToFileURL(from))
      : pathToFileURL(createRequire(from).resolve(specifier));
  } catch {
    return { of: 'others', place: specifier };
  }
  const path = fileURLToPath(`file://${url.pathname}`);
  if (!existsSync(path)) return { of: 'others', place: url.href };
  const real = realpathSync(path);
  if (real.startsWith(join(project, 'src') + sep)) {
    const compiled = join('dist', relative(project, real)).replace(/\.ts$/, '.js');
    throw new SteppedBuildError(`it imports the source ${relative(project, real)}: import the compiled ${compiled} in its place`);
  }
  if (real.startsWith(join(dist, 'src') + sep)) return { of: 'ours', place: real };
  const isPackage = real.split(sep).includes('node_modules');
  return isPackage ? { of: 'others', place: url.href } : { of: 'user', place: real };
}
