import { expect, test } from 'vitest';
import { instrument, isInstrumented } from '../../src/build/instrument.ts';

const lines = (code: string) => instrument(code, 'src/kernel/x.ts', '../machine/shadow-stack.js', (line) => line);

test('a function is entered at its start and left at each return', () => {
  const out = lines('export function f(x) {\n  if (x) return;\n  return g(x);\n}\n');
  expect(out).toContain('f(x) { __fentry__(__fn_f);');
  expect(out).toContain('if (x) return __fexit__(undefined);');
  expect(out).toContain('return __fexit__(g(x));');
  expect(out).toContain('const __fn_f = __register__("f", "src/kernel/x.ts", 1);');
});

test('a function that falls off its end is left there', () => {
  expect(lines('function f() {\n  g();\n}\n')).toContain('g();\n __fexit__(undefined); }');
});

test('an empty function is entered before it is left', () => {
  expect(lines('function f() {}\n')).toContain('function f() { __fentry__(__fn_f); __fexit__(undefined); }');
});

test('no line moves, so source maps stay true', () => {
  const code = '// head\nfunction f() {\n  return 1;\n}\nfunction h() {}\n';
  expect(lines(code).split('\n').length).toBe(code.split('\n').length);
});

test('@inline and @notrace functions count as their caller', () => {
  expect(lines('/** Small. @inline */\nexport function f() { return 1; }\n')).not.toContain('__fentry__');
  expect(lines('/** Head. @notrace */\nimport "x";\nfunction f() { return 1; }\n')).not.toContain('__fentry__(');
});

test('@partOf: the larger part of a function counts as that function', () => {
  const out = lines(
    '/** Small. @inline */\nexport function f(x) { return x || g(x); }\n/** Large. @partOf f */\nfunction g(x) { return x; }\n',
  );
  expect(out).toContain('const __fn_g = __register__("f", "src/kernel/x.ts", 4);');
  expect(out).toContain('export function f(x) { return x || g(x); }');
});

test('@notrace at the head of the source counts even where tsc dropped the comment', () => {
  const source = '/**\n * Head. @notrace: because.\n */\nimport type { X } from "x";\nfunction f() { return 1; }\n';
  expect(instrument('function f() { return 1; }\n', 'src/kernel/x.ts', 's', (line) => line, source)).not.toContain('__fentry__(');
  expect(lines('/** Head. */\n/** @notrace */\nfunction f() {}\nfunction g() {}\n')).toContain('g() { __fentry__');
});

test('a nested function keeps its own returns', () => {
  const out = lines('function f() {\n  const g = () => { return 1; };\n  return g;\n}\n');
  expect(out).toContain('{ return 1; }');
});

test('the output is known as such', () => {
  expect(isInstrumented(lines('function f() {}\n'))).toBe(true);
  expect(isInstrumented('function f() {}\n')).toBe(false);
});
