/**
 * The build's counterpart of `gcc -pg`: kernel functions announce that they are entered and left.
 *
 * In each module of `src/kernel/`, every top-level function that is not marked `@inline` or `@notrace` in its doc comment
 * (for a whole file: in the comment at its head) begins with `__fentry__(number)` and each of its returns passes through `__fexit__` (machine/shadow-stack.ts).
 * A function marked `@partOf name` announces itself by that name: the larger part of one that has a small front, as gcc splits `name.part.0` off.
 * Text is only inserted, never moved to another line, so the source maps that tsc wrote stay true.
 */
import { type Comment, type FunctionDeclaration, type Node, parse } from 'acorn';
import { ancestor } from 'acorn-walk';
import MagicString from 'magic-string';

const MARK = '/* functions announce themselves: build/instrument */';

/** Is `code` the output of {@link instrument}? */
export function isInstrumented(code: string): boolean {
  return code.includes(MARK);
}

/**
 * Instruments one module.
 * @param code  JavaScript (ES module)
 * @param file  project-relative name of its TypeScript source, e.g. `src/kernel/mm/ksm.ts`
 * @param shadowStack  import specifier of machine/shadow-stack as seen from the module
 * @param lineOf  source line of a line of `code`
 * @param source  the TypeScript text: tsc drops a comment at the head when only types are imported behind it
 */
export function instrument(
  code: string,
  file: string,
  shadowStack: string,
  lineOf: (line: number) => number,
  source: string = code,
): string {
  const comments: Comment[] = [];
  const ast = parse(code, { ecmaVersion: 'latest', sourceType: 'module', locations: true, onComment: comments });
  const out = new MagicString(code);
  const declared: string[] = [];
  const targets = new Map<FunctionDeclaration, string>();
  const wholeFile = isUntracedFile(source);

  for (const statement of ast.body) {
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (node?.type !== 'FunctionDeclaration' || node.async || node.generator) continue;
    const fn = node as FunctionDeclaration;
    if (wholeFile || isUntraced(code, comments, statement)) continue;
    const constant = `__fn_${fn.id.name}`;
    const name = partOf(code, comments, statement) ?? fn.id.name;
    const line = lineOf(fn.loc?.start.line ?? 1);
    declared.push(`const ${constant} = __register__(${JSON.stringify(name)}, ${JSON.stringify(file)}, ${line});`);
    targets.set(fn, constant);
  }
  for (const [fn, constant] of targets) {
    // In front of whatever else is inserted there: an empty body begins where it ends.
    out.prependLeft(fn.body.start + 1, ` __fentry__(${constant});`);
    const last = fn.body.body.at(-1);
    if (last?.type !== 'ReturnStatement' && last?.type !== 'ThrowStatement') out.appendLeft(fn.body.end - 1, ' __fexit__(undefined); ');
  }
  ancestor(ast, {
    ReturnStatement(node, _state, ancestors) {
      const owner = ancestors.findLast((a: Node) => /Function/.test(a.type)) as FunctionDeclaration | undefined;
      if (owner === undefined || !targets.has(owner)) return;
      if (node.argument) {
        out.appendRight(node.argument.start, '__fexit__(');
        out.appendLeft(node.argument.end, ')');
      } else out.overwrite(node.start, node.start + 'return'.length, 'return __fexit__(undefined)');
    },
  });
  const header = targets.size > 0 ? `import { __fentry__, __fexit__, registerFunction as __register__ } from '${shadowStack}'; ` : '';
  out.prepend(`${MARK} ${header}${declared.join(' ')} `);
  return out.toString();
}

/** Does the comment at the head of the file say `@notrace`? */
function isUntracedFile(source: string): boolean {
  return /^\s*\/\*\*(?:(?!\*\/)[\s\S])*@notrace\b/.test(source);
}

/** The doc comment right before `statement`; empty: none. */
function docOf(code: string, comments: Comment[], statement: Node): string {
  const comment = comments.findLast((c) => c.end <= statement.start);
  return comment !== undefined && /^\s*$/.test(code.slice(comment.end, statement.start)) ? comment.value : '';
}

function isUntraced(code: string, comments: Comment[], statement: Node): boolean {
  return /@(inline|notrace)\b/.test(docOf(code, comments, statement));
}

/** The function that `statement` counts as, if not as itself. */
function partOf(code: string, comments: Comment[], statement: Node): string | undefined {
  return /@partOf (\w+)/.exec(docOf(code, comments, statement))?.[1];
}
