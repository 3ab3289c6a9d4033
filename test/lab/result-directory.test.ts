import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/lab/errors.ts';
import { ResultDirectory, readResults } from '../../src/lab/result-directory.ts';
import type { Summary } from '../../src/lab/summary.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ksmrace-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const summary: Summary = {
  command: 'stress',
  scenario: 'ksm-exit',
  variant: 'unfixed',
  seed: 1,
  node: 'v20',
  cores: 2,
  workers: 2,
  seconds: 1,
  trials: 10,
  perSecond: 10,
  reports: 1,
  signatures: [],
  hits: { total: 1, slotLeftBehind: 1, destroyedWhileWaiting: 0, cursorWindow: 0 },
  visits: 10,
  exits: 10,
};

describe('result directory', () => {
  it('holds what was written, whole files only', () => {
    const path = join(folder, 'deep', 'er');
    const out = new ResultDirectory(path);
    out.writeSummary(summary);
    out.writeReport({ id: 'a-1', text: 'report', diagram: 'diagram', token: 'T', trace: { x: 1 } });
    out.writeReport({ id: 'a-1', text: 'another', diagram: '' });
    const read = readResults(path);
    expect(read.summary).toEqual(summary);
    expect(read.reports).toEqual([{ id: 'a-1', text: 'report', diagram: 'diagram', token: 'T' }]);
    expect(readdirSync(join(path, 'reports', 'a-1')).sort()).toEqual(['diagram.txt', 'env.json', 'report.txt', 'token.txt', 'trace.json']);
    expect(readdirSync(path).sort()).toEqual(['reports', 'summary.json', 'summary.txt']);
    expect(readFileSync(join(path, 'summary.txt'), 'utf8')).toContain('Observation ksm-exit Sometimes 1 9 ');
  });

  it('refuses a directory that holds results, and leaves them alone', () => {
    new ResultDirectory(folder).writeSummary(summary);
    expect(() => new ResultDirectory(folder)).toThrow(`--out ${folder} holds the results of another run already`);
    expect(readResults(folder).summary.trials).toBe(10);
  });

  it('leaves nothing behind when it is discarded', () => {
    new ResultDirectory(join(folder, 'a', 'b')).discard();
    expect(readdirSync(folder)).toEqual([]);
    new ResultDirectory(folder).discard();
    expect(existsSync(folder)).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("says why a path can't be written", () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => new ResultDirectory(join(folder, 'file', 'x'))).toThrow(UsageError);
    expect(() => new ResultDirectory(join(folder, 'file'))).toThrow(/^--out .*file can't be written: /);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('says what is wrong with a directory that it is to read', () => {
    expect(() => readResults(join(folder, 'none'))).toThrow('is not a directory');
    expect(() => readResults(folder)).toThrow('it has no summary.json');
    writeFileSync(join(folder, 'summary.json'), '{"half":');
    expect(() => readResults(folder)).toThrow(/summary\.json can't be read: /);
    writeFileSync(join(folder, 'summary.json'), '{"a": 1}');
    expect(() => readResults(folder)).toThrow('is not the summary of a run');
    mkdirSync(join(folder, 'reports'));
  });
});
