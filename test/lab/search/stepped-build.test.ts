/** The second build of the kernel: what it writes, and the rules whose breach it tells with file and line. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildStepped } from '../../../src/build/stepped/main.ts';

const built = fileURLToPath(new URL('../../../dist/', import.meta.url));
let dist: string;
beforeEach(() => {
  dist = mkdtempSync(join(tmpdir(), 'ksmrace-build-'));
  cpSync(join(built, 'src/machine'), join(dist, 'src/machine'), { recursive: true });
});
afterEach(() => rmSync(dist, { recursive: true }));

const HEAD = `import { get, READ_ONCE, WRITE_ONCE } from '../machine/door.js';
import { POINT_WRITE, point } from '../machine/points.js';
import { awaitChange } from '../machine/wait.js';
import { i32 } from '../machine/memory.js';
`;

/** Builds one kernel module of these lines, the first of which is line 5; gives what was written. `head` stands in its source only. */
function build(lines: string, head = ''): string {
  mkdirSync(join(dist, 'src/kernel'), { recursive: true });
  writeFileSync(join(dist, 'src/kernel/made.js'), HEAD + lines);
  const mappings = `AAAA;${'AACA;'.repeat(40)}`;
  writeFileSync(
    join(dist, 'src/kernel/made.js.map'),
    JSON.stringify({ version: 3, sources: ['made.ts'], sourcesContent: [head + HEAD + lines], names: [], mappings }),
  );
  buildStepped(dist);
  return readFileSync(join(dist, 'stepped/kernel/made.js'), 'utf8');
}

describe('what is written', () => {
  test('functions that reach a point become generators, all others stay', () => {
    const code = build(`function reads(p) { const a = READ_ONCE(p, 4); return a + READ_ONCE(p, 8); }
function calls(p) { return 1 + reads(p); }
function plain(p) { return get(p, 4); }
`);
    expect(code).toContain('function* reads(p)');
    expect(code).toContain('(__step__(1, (p) + (4)) ? yield : 0, READ_ONCE(p, 4))');
    expect(code).toContain('function* calls(p) { return 1 + (yield* reads(p)); }');
    expect(code).toContain('function plain(p)');
  });

  test('a function that begins with its only step announces it to its callers, and stays plain', () => {
    const code = build(`function test_exit(mm) { return READ_ONCE(mm, 12) === 0; }
function loops(mm) { for (let i = 0; i < 3; i++) if (test_exit(mm)) return i; return WRITE_ONCE(mm, 16, 1); }
`);
    expect(code).toContain('function test_exit(mm) { return READ_ONCE(mm, 12) === 0; }');
    expect(code).toContain('(__step__(1, ((mm)) + (12)) ? yield : 0, test_exit(mm))');
  });

  test('accesses of a file that says @notrace are noted, but not checked, though tsc dropped its head', () => {
    const lines = 'function writes(p) { i32[p >> 2] = i32[(p + 4) >> 2]; }\n';
    expect(build(lines)).toContain('i32[__write32__(p >> 2)] = i32[__read32__((p + 4) >> 2)]');
    expect(build(lines, '/** Of the validator. @notrace */ ')).toContain('i32[__note32__(p >> 2)] = i32[(p + 4) >> 2]');
  });

  test('arguments that do something are evaluated once, in order, before the point is announced', () => {
    const code = build(`function copies(p, q) { WRITE_ONCE(p, 4, READ_ONCE(q, 4)); WRITE_ONCE(p, 8, 1); }
`);
    const at = (text: string) => code.indexOf(text);
    expect(at('__t1 = (__step__(1')).toBeGreaterThan(0);
    expect(at('__t1 = (__step__(1')).toBeLessThan(at('__step__(2'));
    expect(code).toContain('let __t0, __t1;');
  });

  test('no line moves, so source maps stay true', () => {
    const lines = `export function one(p) {
  if (READ_ONCE(p, 4) === 0)
    return 1;

  awaitChange(p, 4, 0);
  return WRITE_ONCE(p, 4, 1);
}
`;
    const code = build(lines);
    expect(code.split('\n')).toHaveLength((HEAD + lines).split('\n').length);
    expect(code).toContain('(__await__((p) + (4), 0) ? yield : 0)');
  });

  test('writes to the arena are noted, atomics are plain', () => {
    const code = build(`function stores(at) { i32[at] = 1; Atomics.add(i32, at + 1, 2); return i32[at]; }
`);
    expect(code).toContain('i32[__write32__(at)] = 1');
    expect(code).toContain('__add__(at + 1, 2)');
    expect(code).toContain('return i32[__read32__(at)]');
  });
});

describe('rules, with file and line', () => {
  test.each([
    [
      'a step inside a nested function',
      `function f(p) {\n  const g = () => READ_ONCE(p, 4);\n  return g();\n}\n`,
      6,
      /call it from a named top-level function/,
    ],
    ['a step at module level', 'export const x = READ_ONCE(64, 4);\n', 5, /not from the module itself/],
    [
      'a stepping function as a value',
      `function f(p) {\n  READ_ONCE(p, 4); READ_ONCE(p, 8);\n}\nexport const table = [f];\n`,
      8,
      /may only be called by name/,
    ],
    [
      'a point that is not the first statement',
      `function f(p) {\n  const q = p + 4;\n  point(POINT_WRITE, q);\n}\n`,
      7,
      /must be its first statement/,
    ],
    ['a step inside of another one', `function f(p) {\n  point(POINT_WRITE, p);\n  READ_ONCE(p, 8);\n}\n`, 7, /inside of another one/],
    ['a bulk write', `function f(p) {\n  i32.copyWithin(p, 1, 2);\n}\n`, 6, /cannot be undone/],
    ['an async function', `async function f(p) {\n  READ_ONCE(p, 4); READ_ONCE(p, 8);\n}\n`, 5, /must be a plain function/],
  ])('%s', (_what, lines, line, message) => {
    expect(() => build(lines)).toThrow(message);
    expect(() => build(lines)).toThrow(`src/kernel/made.ts:${line}:`);
  });
});
