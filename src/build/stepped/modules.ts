/** Compiled modules as the stepped build sees them: functions, imports, and who a name in a call means. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CallExpression, type FunctionDeclaration, type Node, parse } from 'acorn';
import { simple } from 'acorn-walk';
import { sourceText } from '../source-lines.ts';

/** One top-level function. */
export interface Fn {
  readonly module: Module;
  readonly name: string;
  readonly node: FunctionDeclaration;
  /** Calls of names, outside nested functions first come first; nested ones are in {@link nested}. */
  readonly calls: CallExpression[];
}

/** One import binding. */
interface Binding {
  /** File that it comes from. */
  readonly file: string;
  readonly imported: string;
}

/** One compiled ES module. */
export interface Module {
  readonly file: string;
  readonly code: string;
  /** The first doc comment of its source. tsc drops one that stands before an import of types only. */
  readonly head: string;
  readonly ast: Node & { body: Node[] };
  readonly functions: Map<string, Fn>;
  readonly imports: Map<string, Binding>;
  /** Names exported under another name or from another module. */
  readonly exported: Map<string, Binding>;
  /** Names of the module's own variables, without those that compilers add. */
  readonly constants: Set<string>;
  /** Local names of the arena views (machine/memory: i32, f64, u8), and which one each is. */
  readonly views: Map<string, string>;
}

// biome-ignore lint/suspicious/noExplicitAny: acorn's node types are unions that only get in the way of a walker
type Any = any;

/** Parses one module. */
export function readModule(file: string): Module {
  const code = readFileSync(file, 'utf8');
  const ast = parse(code, { ecmaVersion: 'latest', sourceType: 'module', locations: true }) as Module['ast'];
  const module: Module = {
    file,
    code,
    head: /\/\*\*[\s\S]*?\*\//.exec(sourceText(`${file}.map`))?.[0] ?? '',
    ast,
    functions: new Map(),
    imports: new Map(),
    exported: new Map(),
    constants: new Set(),
    views: new Map(),
  };
  const from = (node: Any) => join(dirname(file), node.source.value);
  for (const statement of ast.body as Any[]) {
    if (statement.type === 'ImportDeclaration' && statement.source.value.startsWith('.')) {
      for (const s of statement.specifiers) {
        if (s.type === 'ImportSpecifier') module.imports.set(s.local.name, { file: from(statement), imported: s.imported.name });
      }
    }
    if (statement.type === 'ExportNamedDeclaration' && !statement.declaration) {
      for (const s of statement.specifiers) {
        module.exported.set(s.exported.name, { file: statement.source ? from(statement) : file, imported: s.local.name });
      }
    }
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (node?.type === 'FunctionDeclaration') addFunction(module, node);
    if (node?.type === 'VariableDeclaration') {
      addViews(module, node);
      for (const { id } of node.declarations) if (id.type === 'Identifier' && !id.name.startsWith('__')) module.constants.add(id.name);
    }
  }
  for (const [local, { file: source, imported }] of module.imports) {
    if (source.endsWith('/machine/memory.js') && /^(i32|f64|u8)$/.test(imported)) module.views.set(local, imported);
  }
  return module;
}

function addFunction(module: Module, node: FunctionDeclaration): void {
  const calls: CallExpression[] = [];
  simple(node.body, {
    CallExpression(call) {
      if (call.callee.type === 'Identifier') calls.push(call);
    },
  });
  module.functions.set(node.id.name, { module, name: node.id.name, node, calls });
}

/** `const i32 = arenaWords`: another name of an arena view. */
function addViews(module: Module, node: Any): void {
  for (const { id, init } of node.declarations) {
    if (init?.type !== 'Identifier') continue;
    const binding = module.imports.get(init.name);
    if (binding?.file.endsWith('/machine/memory.js') && /^(i32|f64|u8)$/.test(binding.imported))
      module.views.set(id.name, binding.imported);
  }
}

/** All modules by file, and the one thing asked of them: who is it that a name means? */
export class Program {
  readonly modules = new Map<string, Module>();

  add(module: Module): void {
    this.modules.set(module.file, module);
  }

  /** The function that `name` means inside `module`, through imports and re-exports; undefined for anything else. */
  resolve(module: Module, name: string): Fn | undefined {
    return module.functions.get(name) ?? this.follow(module.imports.get(name));
  }

  /** The function that `module` exports as `name`. */
  exported(module: Module, name: string): Fn | undefined {
    return this.follow(module.exported.get(name));
  }

  private follow(first: Binding | undefined): Fn | undefined {
    let binding = first;
    while (binding !== undefined) {
      const from: Module | undefined = this.modules.get(binding.file);
      if (from === undefined) return undefined;
      const fn = from.functions.get(binding.imported);
      if (fn !== undefined) return fn;
      binding = from.exported.get(binding.imported) ?? from.imports.get(binding.imported);
    }
    return undefined;
  }

  /** The function that a call means. */
  callee(module: Module, call: CallExpression): Fn | undefined {
    return call.callee.type === 'Identifier' ? this.resolve(module, call.callee.name) : undefined;
  }
}
