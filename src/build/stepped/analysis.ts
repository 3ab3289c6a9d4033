/**
 * Which functions can lose the CPU, and how.
 *
 * - An announcing function begins with `point(kind, address)`: READ_ONCE, spin_lock and the like. Its point moves to its
 *   callers, where the pending operation becomes known before the call, and the function itself stays plain. The engine
 *   lets a task pass a lock's point only when the lock can be had, so the waiting inside locks is never reached.
 * - A function without a frame of its own (`@inline`) whose first step is the call of an announcing one, and which has no other
 *   step, announces too.
 * - Every other function that can reach a point or a wait is a stepping function: it becomes a generator.
 */
import type { CallExpression, Node } from 'acorn';
import { ancestor } from 'acorn-walk';
import type { Fn, Module, Program } from './modules.ts';

// biome-ignore lint/suspicious/noExplicitAny: acorn's node types are unions that only get in the way of a walker
type Any = any;

/** What an announcing function announces. */
export interface Announcement {
  /** POINT_*, as a number. */
  readonly kind: number;
  /** The address as an expression over {@link params}. */
  readonly address: string;
  readonly params: readonly string[];
  /** Does `address` use nothing but the parameters? Else callers reach it through a function exported beside. */
  readonly closed: boolean;
}

/** A broken rule, told with its place. */
export class SteppedBuildError extends Error {
  override name = 'SteppedBuildError';
}

/** Functions of machine/wait that wait for a word; they end a step. */
export const WAITS: ReadonlySet<string> = new Set(['awaitChange', 'sleepWhile']);
/** Functions without effect that an announced address may call. */
const PURE = new Set(['addressOf', 'elementOf', 'containerOf', 'current']);

/** Everything that the rewriting needs to know. */
export interface Analysis {
  readonly announcing: ReadonlyMap<Fn, Announcement>;
  readonly stepping: ReadonlySet<Fn>;
}

/**
 * @param lineOf  project-relative file and source line of a node, for errors
 * @throws SteppedBuildError
 */
export function analyse(program: Program, kinds: ReadonlyMap<string, number>, lineOf: (module: Module, node: Node) => string): Analysis {
  const fns = [...program.modules.values()].flatMap((m) => [...m.functions.values()]);
  const announcing = new Map<Fn, Announcement>();
  const isPoint = (fn: Fn | undefined) => fn?.name === 'point' && fn.module.file.endsWith('/machine/points.js');
  const isWait = (fn: Fn | undefined) => fn !== undefined && WAITS.has(fn.name) && fn.module.file.endsWith('/machine/wait.js');

  for (const fn of fns) {
    const calls = fn.calls.filter((call) => isPoint(program.callee(fn.module, call)));
    if (calls.length === 0) continue;
    const first = statements(fn)[0] as Any;
    if (calls.length > 1 || first?.expression !== calls[0])
      throw new SteppedBuildError(
        `${lineOf(fn.module, calls.at(-1) as Node)}: point() in ${fn.name}() must be its first statement and the only one`,
      );
    announcing.set(fn, announcementOf(fn, calls[0] as CallExpression, kinds, lineOf));
  }

  // Waits inside announcing functions never wait here: what only they reach stays plain.
  const insideLocks = new Set<Fn>();
  const enclose = (fn: Fn): void => {
    for (const call of fn.calls) {
      const callee = program.callee(fn.module, call);
      if (callee === undefined || insideLocks.has(callee)) continue;
      if (announcing.has(callee)) {
        throw new SteppedBuildError(
          `${lineOf(fn.module, call)}: ${callee.name}() is a scheduling point inside of another one; use machine/lockword there`,
        );
      }
      insideLocks.add(callee);
      enclose(callee);
    }
  };
  for (const fn of announcing.keys()) enclose(fn);

  const stepsOf = (fn: Fn) =>
    fn.calls.filter((call) => {
      const callee = program.callee(fn.module, call);
      return entersByValue(fn.module, call) || (callee !== undefined && (announcing.has(callee) || stepping.has(callee) || isWait(callee)));
    });
  const stepping = new Set<Fn>();
  for (let grew = true; grew; ) {
    grew = false;
    for (const fn of fns) {
      if (stepping.has(fn) || announcing.has(fn) || fn.module.file.endsWith('/machine/wait.js') || stepsOf(fn).length === 0) continue;
      if (insideLocks.has(fn) && !stepsOf(fn).some((call) => stepping.has(program.callee(fn.module, call) as Fn))) continue;
      stepping.add(fn);
      grew = true;
    }
  }
  const values = usedAsValues(program);
  for (let grew = true; grew; ) {
    grew = false;
    for (const fn of [...stepping]) {
      const steps = stepsOf(fn);
      const lifted = steps.length === 1 && !values.has(fn) ? lift(program, fn, steps[0] as CallExpression, announcing) : undefined;
      if (lifted === undefined) continue;
      announcing.set(fn, lifted);
      stepping.delete(fn);
      grew = true;
    }
  }
  for (const fn of stepping) {
    if (insideLocks.has(fn))
      throw new SteppedBuildError(`${lineOf(fn.module, fn.node)}: ${fn.name}() steps, but a lock operation calls it`);
  }
  for (const [fn, node] of values) {
    if (!(stepping.has(fn) || announcing.has(fn)) || isEntrance(node.module)) continue;
    throw new SteppedBuildError(
      `${lineOf(node.module, node.node)}: ${fn.name}() reaches a scheduling point, so it may only be called by name, not passed on as a value`,
    );
  }
  return { announcing, stepping };
}

/**
 * May stepping functions stand as values here? Scenarios hand their tasks to the engine, and files that say `@entrances`
 * at their head know what they do.
 */
function isEntrance(module: Module): boolean {
  return module.file.includes('/kernel/scenarios/') || module.head.includes('@entrances');
}

/** A call of a module's constant in a file of entrances: of a function that came from elsewhere and may step. */
export function entersByValue(module: Module, call: CallExpression): boolean {
  return call.callee.type === 'Identifier' && module.constants.has(call.callee.name) && module.head.includes('@entrances');
}

/** Functions that are named other than as the callee of a call, with the first such place. */
function usedAsValues(program: Program): Map<Fn, { module: Module; node: Node }> {
  const out = new Map<Fn, { module: Module; node: Node }>();
  for (const module of program.modules.values()) {
    ancestor(
      module.ast as Any,
      {
        Identifier(id: Any, _state: unknown, ancestors: Any[]) {
          const parent = ancestors.at(-2);
          if (parent?.type === 'CallExpression' && parent.callee === id) return;
          if (parent?.type === 'MemberExpression' && parent.property === id && !parent.computed) return;
          const fn = isLocal(id.name, ancestors) ? undefined : program.resolve(module, id.name);
          if (fn !== undefined && !out.has(fn)) out.set(fn, { module, node: id });
        },
      } as Any,
    );
  }
  return out;
}

/** Is `name` a parameter or a variable of one of the functions around? */
function isLocal(name: string, ancestors: Any[]): boolean {
  for (const node of ancestors) {
    if (!/Function/.test(node.type)) continue;
    if (node.params.some((p: Any) => identifiers(p).includes(name) || p.name === name)) return true;
    let found = false;
    ancestor(node.body, {
      VariableDeclarator(d: Any) {
        if (d.id.name === name) found = true;
      },
    } as Any);
    if (found) return true;
  }
  return false;
}

/** The statements of a function, without the call that the build put in front. */
function statements(fn: Fn): Node[] {
  return fn.node.body.body.filter((s: Any) => s.expression?.callee?.name !== '__fentry__');
}

function announcementOf(
  fn: Fn,
  call: CallExpression,
  kinds: ReadonlyMap<string, number>,
  lineOf: (module: Module, node: Node) => string,
): Announcement {
  const [kindNode, addressNode] = call.arguments as Any[];
  const name = fn.module.imports.get(kindNode.name)?.imported ?? kindNode.name;
  const kind = kinds.get(name);
  if (kind === undefined)
    throw new SteppedBuildError(`${lineOf(fn.module, call)}: the kind of a point must be one of the POINT_ constants`);
  return announcement(fn, kind, fn.module.code.slice(addressNode.start, addressNode.end), addressNode);
}

function announcement(fn: Fn, kind: number, address: string, node: Node): Announcement {
  const params = fn.node.params.map((p: Any) => (p.type === 'AssignmentPattern' ? p.left.name : p.name) as string);
  return { kind, address, params, closed: identifiers(node).every((id) => params.includes(id)) };
}

function identifiers(node: Node): string[] {
  const out: string[] = [];
  ancestor(
    node as Any,
    {
      Identifier(id: Any, _state: unknown, ancestors: Any[]) {
        const parent = ancestors.at(-2);
        if (!(parent?.type === 'MemberExpression' && parent.property === id && !parent.computed)) out.push(id.name);
      },
    } as Any,
  );
  return out;
}

/** The announcement of a frameless function whose first and only step is `step`; undefined when it is none of those. */
function lift(program: Program, fn: Fn, step: CallExpression, announcing: ReadonlyMap<Fn, Announcement>): Announcement | undefined {
  const inner = announcing.get(program.callee(fn.module, step) as Fn);
  if (inner === undefined || !inner.closed || hasFrame(fn) || !comesFirst(statements(fn)[0], step)) return undefined;
  const args = step.arguments as Any[];
  if (!args.every((a) => isPure(a))) return undefined;
  const code = (i: number) => `(${fn.module.code.slice(args[i].start, args[i].end)})`;
  const address = inner.address.replace(/[A-Za-z_$][\w$]*/g, (id) => code(inner.params.indexOf(id)));
  const params = fn.node.params.map((p: Any) => p.name as string);
  if (params.some((p) => p === undefined)) return undefined;
  const used = args.flatMap((a) => identifiers(a));
  return { kind: inner.kind, address, params, closed: used.every((id) => params.includes(id)) };
}

function hasFrame(fn: Fn): boolean {
  return statements(fn).length !== fn.node.body.body.length;
}

/** Does nothing with an effect happen in `node` before `step`? */
function comesFirst(node: Any, step: Node): boolean {
  if (node === undefined || node === null) return false;
  if (node === step) return true;
  switch (node.type) {
    case 'ExpressionStatement':
      return comesFirst(node.expression, step);
    case 'ReturnStatement':
    case 'UnaryExpression':
      return comesFirst(node.argument, step);
    case 'IfStatement':
    case 'ConditionalExpression':
      return comesFirst(node.test, step);
    case 'BinaryExpression':
    case 'LogicalExpression':
      return comesFirst(node.left, step);
    case 'VariableDeclaration':
      return comesFirst(node.declarations[0].init, step);
    case 'CallExpression':
      return comesFirst(node.arguments[0], step);
    default:
      return false;
  }
}

function isPure(node: Any): boolean {
  switch (node.type) {
    case 'Identifier':
    case 'Literal':
      return true;
    case 'MemberExpression':
      return !node.computed && isPure(node.object);
    case 'BinaryExpression':
      return isPure(node.left) && isPure(node.right);
    case 'UnaryExpression':
      return isPure(node.argument);
    case 'CallExpression':
      return node.callee.type === 'Identifier' && PURE.has(node.callee.name) && node.arguments.every(isPure);
    default:
      return false;
  }
}

export { isPure };
