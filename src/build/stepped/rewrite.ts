/**
 * Writes the stepped form of one module. Text is inserted or replaced within its line, so tsc's source maps stay true.
 *
 * | plain | stepped |
 * |---|---|
 * | `function f(` of a stepping function | `function* f(` |
 * | `f(x)` of a stepping function | `(yield* f(x))` |
 * | `READ_ONCE(p, f)` and all that announce | `(__step__(1, (p) + (f)) ? yield : 0, READ_ONCE(p, f))` |
 * | `g(x)` of a function that came from elsewhere, in a file of `@entrances` | `(yield* __enter__(g(x)))` |
 * | `awaitChange(p, f, seen)` | `(__await__((p) + (f), seen) ? yield : 0)` |
 * | `point(...)` at the start of an announcing function | nothing |
 *
 * Accesses to the arena are rewritten as well: see memory-access.ts.
 *
 * Arguments that do something (calls, other steps) are evaluated before the announcement, once and in order.
 */
import { dirname, relative } from 'node:path';
import type { Node } from 'acorn';
import { ancestor } from 'acorn-walk';
import MagicString from 'magic-string';
import { type Analysis, type Announcement, entersByValue, isPure, SteppedBuildError } from './analysis.ts';
import { ACCESS_NAMES, rewriteAccesses } from './memory-access.ts';
import type { Fn, Module, Program } from './modules.ts';

// biome-ignore lint/suspicious/noExplicitAny: acorn's node types are unions that only get in the way of a walker
type Any = any;

/** Where the rewritten module's imports point to. */
export interface Targets {
  /** Import specifier in the rewritten module for an import of `file`. */
  specifier(file: string): string;
  /** Specifiers of machine/stepped/step and machine/stepped/access. */
  readonly step: string;
  readonly access: string;
  /** Are plain accesses of the module looked at by the heap and race checkers? */
  readonly checked: boolean;
}

/** @throws SteppedBuildError */
export function rewrite(
  program: Program,
  module: Module,
  analysis: Analysis,
  targets: Targets,
  lineOf: (module: Module, node: Node) => string,
): string {
  const out = new MagicString(module.code);
  const fail: (node: Node, what: string) => never = (node, what) => {
    throw new SteppedBuildError(`${lineOf(module, node)}: ${what}`);
  };
  const text = (node: Any) => out.slice(node.start, node.end);
  rewriteAccesses(module, out, targets.checked, fail);
  const companions = new Map<string, Fn>();
  const temporaries = new Map<Any, string[]>();

  for (const statement of module.ast.body as Any[]) {
    if (statement.source?.value?.startsWith('.')) {
      const file = resolveFrom(module.file, statement.source.value);
      out.overwrite(statement.source.start, statement.source.end, `'${targets.specifier(file)}'`);
    }
  }
  for (const fn of module.functions.values()) {
    if (analysis.stepping.has(fn)) {
      if (fn.node.async || fn.node.generator) fail(fn.node, `${fn.name}() reaches a scheduling point, so it must be a plain function`);
      out.appendLeft(fn.node.start + 'function'.length, '*');
    }
    const announced = analysis.announcing.get(fn);
    if (announced === undefined) continue;
    for (const call of fn.calls) {
      if (program.callee(module, call)?.name === 'point') out.overwrite(call.start, call.end, '0');
    }
    if (!announced.closed) {
      out.appendRight(fn.node.end, ` export function __at_${fn.name}(${announced.params.join(', ')}) { return ${announced.address}; }`);
    }
  }

  /** `(step ? yield : 0, call)`, with arguments that do something kept in variables first. */
  const announceAt = (call: Any, announced: Announcement, callee: Fn, owner: Any): void => {
    const args = call.arguments as Any[];
    let before = '';
    let names = args.map((a) => text(a));
    if (!args.every((a) => isPure(a) && a.type !== 'CallExpression')) {
      const list = temporaries.get(owner) ?? [];
      names = args.map((a, i) => {
        if (a.type === 'Literal' || (a.type === 'Identifier' && args.slice(i + 1).every(isPure))) return names[i] as string;
        const name = `__t${list.length}`;
        list.push(name);
        before += `${name} = ${names[i]}, `;
        return name;
      });
      temporaries.set(owner, list);
    }
    let address: string;
    if (announced.closed) {
      address = announced.address.replace(/[A-Za-z_$][\w$]*/g, (id) => `(${names[announced.params.indexOf(id)]})`);
    } else {
      if (callee.module !== module) companions.set(callee.name, callee);
      address = `__at_${callee.name}(${names.join(', ')})`;
    }
    out.overwrite(
      call.start,
      call.end,
      `(${before}__step__(${announced.kind}, ${address}) ? yield : 0, ${text(call.callee)}(${names.join(', ')}))`,
    );
  };

  ancestor(
    module.ast as Any,
    {
      CallExpression(call: Any, _state: unknown, ancestors: Any[]) {
        if (entersByValue(module, call)) {
          out.appendRight(call.start, '(yield* __enter__(');
          out.appendLeft(call.end, '))');
          return;
        }
        const callee = program.callee(module, call);
        if (callee === undefined) return;
        const owner = ancestors.slice(0, -1).findLast((a: Any) => /Function/.test(a.type));
        const announced = analysis.announcing.get(callee);
        const waits = callee.module.file.endsWith('/machine/wait.js');
        const isStep = announced !== undefined || analysis.stepping.has(callee);
        const ownerFn = [...module.functions.values()].find((fn) => fn.node === owner);
        const inStepping = ownerFn !== undefined && analysis.stepping.has(ownerFn);
        if (isStep && !inStepping) {
          if (ownerFn !== undefined && analysis.announcing.has(ownerFn)) return;
          fail(
            call,
            `${callee.name}() is or reaches a scheduling point: call it from a named top-level function, not from ${owner === undefined ? 'the module itself' : 'inside a nested one'}`,
          );
        }
        if (announced !== undefined) announceAt(call, announced, callee, owner);
        else if (isStep) {
          out.appendRight(call.start, '(yield* ');
          out.appendLeft(call.end, ')');
        } else if (waits && inStepping && callee.name === 'awaitChange') {
          const [p, f, seen] = (call.arguments as Any[]).map(text);
          out.overwrite(call.start, call.end, `(__await__((${p}) + (${f}), ${seen}) ? yield : 0)`);
        } else if (waits && inStepping && callee.name === 'sleepWhile') {
          const [p, f] = (call.arguments as Any[]).map(text);
          out.appendRight(call.start, `(__step__(1, (${p}) + (${f})) ? yield : 0, `);
          out.appendLeft(call.end, ')');
        }
      },
    } as Any,
  );

  for (const [owner, names] of temporaries) out.appendRight(owner.body.start + 1, ` let ${names.join(', ')};`);
  for (const [name, fn] of companions) out.prepend(`import { __at_${name} } from '${targets.specifier(fn.module.file)}'; `);
  if (module.views.size > 0) out.prepend(`import { ${ACCESS_NAMES.join(', ')} } from '${targets.access}'; `);
  out.prepend(`import { __await__, __enter__, __step__ } from '${targets.step}'; `);
  return out.toString();
}

function resolveFrom(file: string, specifier: string): string {
  return new URL(specifier, `file://${file}`).pathname;
}

/** Import specifier of `file` as seen from `from`. */
export function specifierFrom(from: string, file: string): string {
  const path = relative(dirname(from), file);
  return path.startsWith('.') ? path : `./${path}`;
}
