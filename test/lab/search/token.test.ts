/** Tokens: there and back, and every way in which one can be wrong. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeToken, encodeToken, type Token } from '../../../src/lab/search/token.ts';

const token: Token = {
  scenario: 'ksm-exit',
  workload: { variant: 'unfixed', tasks: 2, vmas: 1, pages: 1, processes: 0, scanned: false },
  codeHash: '0badf00d',
  schedule: { strategy: 'pct', depth: 2, seed: 2 ** 40 + 1, index: 123_456 },
};

test('seeds and choices come back as they were', () => {
  expect(decodeToken(encodeToken(token))).toEqual(token);
  const runs = fc.array(fc.record({ task: fc.nat(15), steps: fc.nat(1e6) }), { maxLength: 200 });
  fc.assert(
    fc.property(runs, fc.nat(512), fc.boolean(), (schedule, vmas, scanned) => {
      const other = { ...token, workload: { ...token.workload, vmas, scanned }, schedule };
      expect(decodeToken(encodeToken(other))).toEqual(other);
    }),
  );
});

test('a token can be pasted anywhere', () => {
  expect(encodeToken(token)).toMatch(/^k1-[A-Za-z0-9_-]{20,80}$/);
});

test('a cut, mistyped or foreign token is refused in one sentence', () => {
  const text = encodeToken(token);
  for (let length = 3; length < text.length; length++) expect(() => decodeToken(text.slice(0, length))).toThrow(/cut or mistyped/);
  for (let at = 3; at < text.length; at++) {
    const other = text[at] === 'A' ? 'B' : 'A';
    expect(() => decodeToken(text.slice(0, at) + other + text.slice(at + 1))).toThrow(/cut or mistyped/);
  }
  expect(() => decodeToken(`${text}x`)).toThrow(/cut or mistyped/);
  expect(() => decodeToken(text.replace('k1', 'k2'))).toThrow(/version k2, and this ksmrace reads k1/);
  expect(() => decodeToken('something else')).toThrow(/is not a token/);
});
