/** The maple tree without the lock checks: walks take the short way then (iterate.ts), which the other tests never go. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { replayVectors } from '../../../src/lab/selftest-maple/replay.ts';
import { readVectors } from '../../../src/lab/selftest-maple/vector-file.ts';
import { testAgainstModel } from './maple-model.ts';

await vi.hoisted(async () => (await import('../../../src/machine/boot.ts')).configureBoot({ lockdep: 'off' }));

testAgainstModel('the unchecked maple tree against a sorted array');

describe('recorded answers, unchecked', () => {
  it('all files agree', () => {
    const folder = join(import.meta.dirname, '../../fixtures/maple');
    const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl.gz'));
    expect(files.length).toBe(30);
    for (const file of files) expect(replayVectors(readVectors(join(folder, file)), false).failures).toEqual([]);
  });
});
