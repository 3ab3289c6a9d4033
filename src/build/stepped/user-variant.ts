/**
 * A user's variant in stepped form: its functions become generators, and its calls of `kernel.`, of each other and of kernel
 * functions that it imports become steps. Lines stay where they are.
 */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { FunctionDeclaration, Node } from 'acorn';
import { ancestor } from 'acorn-walk';
import MagicString from 'magic-string';
import { SteppedBuildError } from './analysis.ts';
import type { ExportedSteps, StepTable } from './step-table.ts';
import type { VariantFile, VariantFiles } from './variant-files.ts';

// biome-ignore lint/suspicious/noExplicitAny: acorn's node types are unions that only get in the way of a walker
type Any = any;

const dist = fileURLToPath(new URL('../../../', import.meta.url));
const HEADER = "function* __enter__(result) { return typeof result?.next === 'function' ? yield* result : result; } ";

/** A file to write, all of them into one folder; the first one is the module itself. */
export interface SteppedFile {
  readonly name: string;
  readonly code: string;
}

/** @throws SteppedBuildError naming the line of what cannot be stepped */
export function stepUserVariant({ files }: VariantFiles): SteppedFile[] {
  const table = JSON.parse(readFileSync(join(dist, 'stepped', 'steps.json'), 'utf8')) as StepTable;
  const names = new Map(files.map(({ path }, i) => [path, i === 0 ? basename(path) : `${i}-${basename(path)}`]));
  return files.map((file, i) => ({
    name: (names.get(file.path) as string).replace(/\.js$/, '.mjs'),
    code: step(
      file,
      i === 0 ? '' : `${basename(file.path)}, `,
      table,
      (path) => `./${(names.get(path) as string).replace(/\.js$/, '.mjs')}`,
    ),
  }));
}

/** The stepped twin of one of our modules, or itself where it has none. */
function twinOf(place: string): string {
  const inside = relative(join(dist, 'src'), place);
  for (const twin of [join(dist, 'stepped', inside), join(dist, 'src', 'machine', 'stepped', inside.replace(/^machine./, ''))])
    if (existsSync(twin)) return twin;
  return place;
}

/** What a module imports of ours: the names that step, and code that announces in their place. */
class Imported {
  readonly steps = new Map<string, ExportedSteps>();
  /** Of the user's own modules: all their functions may be stepping ones. */
  readonly users = new Set<string>();
  prelude = '';

  add(statement: Any, steps: Readonly<Record<string, ExportedSteps>>, fail: (node: Node, what: string) => never): void {
    for (const s of statement.specifiers ?? []) {
      if (s.type !== 'ImportSpecifier') {
        if (Object.keys(steps).length > 0) fail(statement, 'kernel functions must be imported by their names');
        continue;
      }
      const how = steps[s.imported.name];
      if (how === undefined) continue;
      this.steps.set(s.local.name, how);
      if (how === 'steps') continue;
      const { kind, params, address, at } = how;
      const list = params.join(', ');
      if (at !== undefined) this.prelude += `import { __at_${s.imported.name} } from '${pathToFileURL(join(dist, 'stepped', at)).href}'; `;
      const where = address ?? `__at_${s.imported.name}(${list})`;
      this.prelude += `function* __announce_${s.local.name}(${list}) { if (__step__(${kind}, ${where})) yield; return ${s.local.name}(${list}); } `;
    }
  }
}

function step(file: VariantFile, where: string, table: StepTable, nameOf: (path: string) => string): string {
  const { code, ast } = file;
  const fail = (node: Any, what: string): never => {
    throw new SteppedBuildError(`${where}line ${node.loc.start.line}: ${what}`);
  };
  const out = new MagicString(code);
  const imported = new Imported();
  for (const { statement, source, target } of file.imports) {
    const place =
      target.of === 'ours' ? pathToFileURL(twinOf(target.place)).href : target.of === 'user' ? nameOf(target.place) : target.place;
    out.overwrite(source.start, source.end, JSON.stringify(place));
    if (target.of === 'ours') imported.add(statement, table[relative(join(dist, 'src'), target.place)] ?? {}, fail);
    if (target.of === 'user') for (const s of statement.specifiers ?? []) if (s.local !== undefined) imported.users.add(s.local.name);
  }
  const own = new Map<string, FunctionDeclaration>();
  for (const statement of ast.body as Any[]) {
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (node?.type !== 'FunctionDeclaration') continue;
    own.set(node.id.name, node);
    out.appendLeft(node.start + 'function'.length, '*');
    if (node.async || node.generator) fail(node, `${node.id.name}() must be a plain function`);
  }
  const kernel = (own.get('unmerge_vmas')?.params[0] as Any)?.name as string | undefined;
  ancestor(ast, {
    CallExpression(call: Any, _state: unknown, ancestors: Node[]) {
      const { callee } = call;
      const owner = ancestors.slice(0, -1).findLast((a) => /Function/.test(a.type)) as FunctionDeclaration | undefined;
      const isNamed = owner !== undefined && own.get(owner.id?.name ?? '') === owner;
      const object = callee.type === 'MemberExpression' && callee.object.type === 'Identifier' ? (callee.object.name as string) : undefined;
      const name = callee.type === 'Identifier' ? (callee.name as string) : undefined;
      // Through a parameter the kernel may be called under another name.
      const given = object !== undefined && isNamed && owner.params.some((p: Any) => p.name === object);
      const ours = name === undefined ? undefined : imported.steps.get(name);
      const must = (object !== undefined && object === kernel) || (name !== undefined && own.has(name)) || ours !== undefined;
      const may = given || imported.users.has(name ?? object ?? '');
      if (!must && !(may && isNamed)) return;
      if (!isNamed) fail(call, 'calls of the kernel must stand in a named function of the module, not in a nested one');
      if (ours !== undefined && ours !== 'steps') out.overwrite(callee.start, callee.end, `__announce_${name}`);
      out.appendRight(call.start, '(yield* __enter__(');
      out.appendLeft(call.end, '))');
    },
    Identifier(id: Any, _state: unknown, ancestors: Any[]) {
      const parent = ancestors.at(-2);
      if (!imported.steps.has(id.name) || (parent?.type === 'CallExpression' && parent.callee === id)) return;
      if (parent?.type === 'MemberExpression' && parent.property === id && !parent.computed) return;
      fail(id, `${id.name}() reaches a scheduling point, so it may only be called by name, not passed on as a value`);
    },
  } as Any);
  const machine =
    imported.prelude === '' ? '' : `import { __step__ } from '${pathToFileURL(join(dist, 'src', 'machine', 'stepped', 'step.js')).href}'; `;
  return out.prepend(`${machine}${imported.prelude}${HEADER}`).toString();
}
