import { expect, test } from 'vitest';
import { type Constants, foldableExports, foldConstants } from '../../src/build/fold-constants.ts';

const layouts = new Map([['mm_struct', { mm_users: 0, mm_count: 4, SIZE: 64 }]]);
const types = `import { struct } from '../machine/layout.js';
export const PAGE_SHIFT = 12;
export const ULONG_MAX = Number.MAX_SAFE_INTEGER;
export const TASK_SIZE = 2 ** 47 - 4096;
export const BIT = -2147483648 | 0;
export const where = DEFINE_SPINLOCK('x');
export const POINT_READ = 1;
export let counter = 5;
export const mm_struct = struct('mm_struct', { mm_users: word });
`;
const offered: Constants = foldableExports(types, layouts);
const fold = (code: string) => foldConstants(code, '/k/mm/a.js', (file) => (file === '/k/types.js' ? offered : undefined));
const head = "import { PAGE_SHIFT, mm_struct, TASK_SIZE as END, where } from '../types.js';\n";

test('written-out numbers and layouts are offered, addresses and variables are not', () => {
  expect([...offered.keys()]).toEqual(['PAGE_SHIFT', 'TASK_SIZE', 'BIT', 'mm_struct']);
  expect(offered.get('TASK_SIZE')).toBe(2 ** 47 - 4096);
  expect(offered.get('BIT')).toBe(-2147483648);
});

test('uses become numbers, imports stay', () => {
  expect(fold(`${head}function f(mm) { return get(mm, mm_struct.mm_count) >> PAGE_SHIFT; }\nconst e = END;\n`)).toBe(
    `${head}function f(mm) { return get(mm, 4) >> 12; }\nconst e = 140737488351232;\n`,
  );
});

test('a name that is bound inside a function is that function’s own', () => {
  const own = `${head}function f(PAGE_SHIFT) { return PAGE_SHIFT; }\nfunction g() { for (const mm_struct of h()) use(mm_struct.mm_count); }\n`;
  expect(fold(own)).toBe(own);
});

test('keys, members, shorthands and exports are left alone', () => {
  const other = `${head}const o = { PAGE_SHIFT, x: a.PAGE_SHIFT };\nconst p = { PAGE_SHIFT: 1 };\nconst size = mm_struct[k];\nexport { PAGE_SHIFT };\nconst w = where;\n`;
  expect(fold(other)).toBe(other);
});
