/**
 * A user's variant module in stepped form: its functions become generators, and its calls of `kernel.` and of each other
 * become steps. Lines stay where they are.
 */
import { type FunctionDeclaration, type Node, parse } from 'acorn';
import { ancestor } from 'acorn-walk';
import MagicString from 'magic-string';
import { SteppedBuildError } from './analysis.ts';

// biome-ignore lint/suspicious/noExplicitAny: acorn's node types are unions that only get in the way of a walker
type Any = any;

const HEADER = "function* __enter__(result) { return typeof result?.next === 'function' ? yield* result : result; } ";

/**
 * @param code  JavaScript, an ES module that exports `unmerge_vmas(kernel, mm, slot)`
 * @param url  its place, for relative imports
 * @throws SteppedBuildError naming the line of what cannot be stepped
 */
export function stepUserVariant(code: string, url: string): string {
  let ast: Any;
  try {
    ast = parse(code, { ecmaVersion: 'latest', sourceType: 'module', locations: true });
  } catch (error) {
    throw new SteppedBuildError((error as Error).message);
  }
  const out = new MagicString(code);
  const own = new Map<string, FunctionDeclaration>();
  for (const statement of ast.body as Any[]) {
    if (statement.source?.value?.startsWith('.')) {
      out.overwrite(statement.source.start, statement.source.end, JSON.stringify(new URL(statement.source.value, url).href));
    }
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (node?.type !== 'FunctionDeclaration') continue;
    own.set(node.id.name, node);
    out.appendLeft(node.start + 'function'.length, '*');
    if (node.async || node.generator)
      throw new SteppedBuildError(`line ${node.loc.start.line}: ${node.id.name}() must be a plain function`);
  }
  const kernel = (own.get('unmerge_vmas')?.params[0] as Any)?.name as string | undefined;
  ancestor(ast, {
    CallExpression(call: Any, _state: unknown, ancestors: Node[]) {
      const { callee } = call;
      const steps =
        (callee.type === 'MemberExpression' && callee.object.type === 'Identifier' && callee.object.name === kernel) ||
        (callee.type === 'Identifier' && own.has(callee.name));
      if (!steps) return;
      const owner = ancestors.slice(0, -1).findLast((a) => /Function/.test(a.type)) as FunctionDeclaration | undefined;
      if (owner === undefined || own.get(owner.id?.name ?? '') !== owner) {
        throw new SteppedBuildError(
          `line ${call.loc.start.line}: calls of the kernel must stand in a named function of the module, not in a nested one`,
        );
      }
      out.appendRight(call.start, '(yield* __enter__(');
      out.appendLeft(call.end, '))');
    },
  } as Any);
  return out.prepend(HEADER).toString();
}
