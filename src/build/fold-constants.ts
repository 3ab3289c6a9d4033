/**
 * Constants of one module of machine or kernel that another one uses, put in as numbers.
 *
 * The JIT folds a module's own constants, but an imported one costs a load of the module's cell, and a field of a struct
 * object (`mm_struct.mm_users`) a load of the object and of the field, each time. Linux has all of these as literals from
 * its preprocessor and compiler; here the build does it, after tsc. Folded are `export const NAME = <number>` where the
 * number is written out (literals and operators on them), and fields of exported struct layouts. Addresses are not: they
 * belong to one memory.
 */
import { dirname, join } from 'node:path';
import { type Identifier, type ImportDeclaration, type MemberExpression, type Node, type Program, parse } from 'acorn';
import { ancestor, type SimpleVisitors, simple } from 'acorn-walk';
import MagicString from 'magic-string';

/** What a module offers for folding: numbers, and structs as field offsets by name. */
export type Constants = ReadonlyMap<string, number | Readonly<Record<string, number>>>;

/** The scheduling points' kinds keep their names: the stepped build looks for them. */
const KEPT = /^POINT_/;

function parseModule(code: string): Program {
  return parse(code, { ecmaVersion: 'latest', sourceType: 'module' });
}

/** The value of a written-out number, or undefined. */
function writtenNumber(node: Node): number | undefined {
  const n = node as unknown as { type: string; value?: unknown; operator: string; argument: Node; left: Node; right: Node };
  if (n.type === 'Literal') return typeof n.value === 'number' ? n.value : undefined;
  if (n.type === 'UnaryExpression') {
    const a = writtenNumber(n.argument);
    if (a === undefined) return undefined;
    return n.operator === '-' ? -a : n.operator === '~' ? ~a : undefined;
  }
  if (n.type !== 'BinaryExpression') return undefined;
  const l = writtenNumber(n.left);
  const r = writtenNumber(n.right);
  if (l === undefined || r === undefined) return undefined;
  switch (n.operator) {
    case '+':
      return l + r;
    case '-':
      return l - r;
    case '*':
      return l * r;
    case '**':
      return l ** r;
    case '<<':
      return l << r;
    case '|':
      return l | r;
    default:
      return undefined;
  }
}

/**
 * What a module exports that can be folded.
 * @param layouts  the layouts of all structs, by the name that they were declared with
 */
export function foldableExports(code: string, layouts: ReadonlyMap<string, Readonly<Record<string, number>>>): Constants {
  const out = new Map<string, number | Readonly<Record<string, number>>>();
  for (const statement of parseModule(code).body) {
    if (statement.type !== 'ExportNamedDeclaration' || statement.declaration?.type !== 'VariableDeclaration') continue;
    if (statement.declaration.kind !== 'const') continue;
    for (const { id, init } of statement.declaration.declarations) {
      if (id.type !== 'Identifier' || !init || KEPT.test(id.name)) continue;
      const number = writtenNumber(init);
      if (number !== undefined) out.set(id.name, number);
      else if (init.type === 'CallExpression' && init.callee.type === 'Identifier' && init.callee.name === 'struct') {
        const name = init.arguments[0];
        const layout = name?.type === 'Literal' ? layouts.get(String(name.value)) : undefined;
        if (layout !== undefined) out.set(id.name, layout);
      }
    }
  }
  return out;
}

/** Names that a top-level statement binds or assigns anywhere inside: where one shadows a constant, nothing is folded. */
function boundWithin(statement: Node): Set<string> {
  const names = new Set<string>();
  // acorn-walk calls a name in a pattern (declared, parameter, assigned) a VariablePattern; its types don't know that.
  const visitors = { VariablePattern: (node: Identifier) => void names.add(node.name) };
  simple(statement, visitors as SimpleVisitors<unknown>);
  return names;
}

/**
 * Puts the numbers in. No line moves.
 * @param file  absolute name of the module, for its relative imports
 * @param constantsOf  what a module (absolute name) offers, or undefined
 */
export function foldConstants(code: string, file: string, constantsOf: (file: string) => Constants | undefined): string {
  const ast = parseModule(code);
  const known = new Map<string, number | Readonly<Record<string, number>>>();
  for (const statement of ast.body) {
    if (statement.type !== 'ImportDeclaration') continue;
    const source = String((statement as ImportDeclaration).source.value);
    if (!source.startsWith('.')) continue;
    const offered = constantsOf(join(dirname(file), source));
    for (const specifier of statement.specifiers) {
      if (offered === undefined || specifier.type !== 'ImportSpecifier' || specifier.imported.type !== 'Identifier') continue;
      const value = offered.get(specifier.imported.name);
      if (value !== undefined) known.set(specifier.local.name, value);
    }
  }
  if (known.size === 0) return code;
  const out = new MagicString(code);
  for (const statement of ast.body) {
    if (statement.type === 'ImportDeclaration') continue;
    const shadowed = boundWithin(statement);
    ancestor(statement, {
      MemberExpression(node: MemberExpression) {
        if (node.computed || node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return;
        const layout = known.get(node.object.name);
        if (typeof layout !== 'object' || shadowed.has(node.object.name)) return;
        const value = layout[node.property.name];
        if (typeof value === 'number') out.overwrite(node.start, node.end, String(value));
      },
      Identifier(node, _state, ancestors) {
        const value = known.get(node.name);
        if (typeof value !== 'number' || shadowed.has(node.name)) return;
        const parent = ancestors.at(-2) as (Node & { shorthand?: boolean }) | undefined;
        if (parent?.type === 'Property' && parent.shorthand === true) return;
        if (parent?.type === 'ExportSpecifier') return;
        out.overwrite(node.start, node.end, value < 0 ? `(${value})` : String(value));
      },
    });
  }
  return out.toString();
}
