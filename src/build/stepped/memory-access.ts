/**
 * Accesses to the arena in the stepped build. One thread plays all tasks, so atomics become plain; and every write is
 * noted, so that a schedule can be undone (machine/stepped/rewind).
 *
 * | plain | stepped |
 * |---|---|
 * | `Atomics.add(i32, i, v)` and the others | `__add__(i, v)` |
 * | `i32.fill(v, i, j)` | `__fill__(v, i, j)` |
 * | `i32[i] = v` | `i32[__write32__(i)] = v`, where unchecked: `__note32__` |
 * | `i32[i]` | `i32[__read32__(i)]`, where unchecked: as it is |
 *
 * Checked accesses are looked at by the heap and race checkers. Files that say `@notrace` at their head (locks, the validator)
 * are not checked: what protects their data is not visible as a lock.
 */
import type { Node } from 'acorn';
import { ancestor } from 'acorn-walk';
import type MagicString from 'magic-string';
import type { Module } from './modules.ts';

// biome-ignore lint/suspicious/noExplicitAny: acorn's node types are unions that only get in the way of a walker
type Any = any;

const ATOMICS = new Set(['load', 'store', 'add', 'sub', 'and', 'or', 'xor', 'exchange', 'compareExchange']);
const WIDTH: Record<string, string> = { i32: '32', f64: '64', u8: '8' };

/** Names that rewritten modules import from machine/stepped/access. */
export const ACCESS_NAMES = [
  ...[...ATOMICS].map((name) => `__${name}__`),
  '__fill__',
  ...Object.values(WIDTH).flatMap((width) => [`__note${width}__`, `__write${width}__`, `__read${width}__`]),
];

/**
 * Rewrites the accesses of one module. Must run before other edits of the same places.
 * @param fail  throws, naming the place of a node
 */
export function rewriteAccesses(module: Module, out: MagicString, checked: boolean, fail: (node: Node, what: string) => never): void {
  if (module.views.size === 0) return;
  const wrap = (index: Any, name: string) => {
    out.appendRight(index.start, `${name}(`);
    out.appendLeft(index.end, ')');
  };
  ancestor(
    module.ast as Any,
    {
      MemberExpression(node: Any, _state: unknown, ancestors: Any[]) {
        const view = node.computed && node.object.type === 'Identifier' ? module.views.get(node.object.name) : undefined;
        if (view === undefined) return;
        const parent = ancestors.at(-2);
        const written = (parent.type === 'AssignmentExpression' && parent.left === node) || parent.type === 'UpdateExpression';
        if (written) wrap(node.property, checked ? `__write${WIDTH[view]}__` : `__note${WIDTH[view]}__`);
        else if (checked) wrap(node.property, `__read${WIDTH[view]}__`);
      },
      CallExpression(call: Any) {
        const { callee } = call;
        if (callee.type !== 'MemberExpression' || callee.computed) return;
        const name = callee.property.name;
        if (callee.object.name === 'Atomics' && ATOMICS.has(name) && module.views.has(call.arguments[0]?.name)) {
          out.overwrite(call.start, call.arguments[1].start, `__${name}__(`);
        } else if (module.views.get(callee.object.name) === 'i32' && name === 'fill' && call.arguments.length === 3) {
          out.overwrite(call.start, call.arguments[0].start, '__fill__(');
        } else if (module.views.has(callee.object.name) && /^(set|fill|copyWithin|sort|reverse)$/.test(name)) {
          fail(call, `${name}() on the shared memory cannot be undone; write word by word`);
        }
      },
    } as Any,
  );
}
