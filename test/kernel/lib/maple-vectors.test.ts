/** The answers of the real maple tree (Linux 6.1.192), recorded: traces, and the kernel's own unit tests. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { MT_FLAGS_ALLOC_RANGE, maple_tree } from '../../../src/kernel/include/maple_tree.ts';
import { mtree_destroy } from '../../../src/kernel/lib/maple-tree/destroy.ts';
import { mt_init_flags } from '../../../src/kernel/lib/maple-tree/init.ts';
import { maple_node_cache } from '../../../src/kernel/lib/maple-tree/node.ts';
import { mtree_erase, mtree_store_range } from '../../../src/kernel/lib/maple-tree/normal-api.ts';
import { mt_nr_nodes } from '../../../src/kernel/lib/maple-tree/validate.ts';
import { readReports } from '../../../src/kernel/printk.ts';
import { BadVectorFile, runMapleSelftest } from '../../../src/lab/selftest-maple/index.ts';
import { replayVectors } from '../../../src/lab/selftest-maple/replay.ts';
import { readVectors } from '../../../src/lab/selftest-maple/vector-file.ts';
import { staticStorage } from '../../../src/machine/memory.ts';
import { liveObjects } from '../../../src/machine/slab.ts';

const folder = join(import.meta.dirname, '../../fixtures/maple');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.jsonl.gz'))
  .map((name) => join(folder, name));
const scratch = mkdtempSync(join(tmpdir(), 'maple-vectors-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Writes a vector file and gives its name. */
function written(name: string, ...lines: unknown[]): string {
  const file = join(scratch, name);
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text);
  return file;
}

describe('recorded answers', () => {
  it.each([false, true])('all files agree, RCU mode %s', (rcu) => {
    expect(files.length).toBe(30);
    for (const file of files) expect(replayVectors(readVectors(file), rcu).failures).toEqual([]);
    expect(liveObjects(maple_node_cache)).toBe(0);
    expect(readReports()).toEqual([]);
  });

  it('the built-in set passes', () => {
    expect(runMapleSelftest(undefined)).toEqual({ passed: 5, failed: 0, failures: [] });
  });
});

describe('nodes', () => {
  const mt = staticStorage('test_tree', maple_tree.SIZE).address as Parameters<typeof mt_init_flags>[0];

  /** Replays the writes of a trace alone and compares the number of nodes where the C tree's is written. */
  function nodesBeside(file: string): { ours: number; theirs: number } {
    const sum = { ours: 0, theirs: 0 };
    const { header, lines } = readVectors(file);
    mt_init_flags(mt, header.flags === 'alloc' ? MT_FLAGS_ALLOC_RANGE : 0);
    for (const { op, fields } of lines) {
      const { a, b, e, r, nn } = fields as Record<string, number>;
      if ((op === 'store' || op === 'insert') && r === 0)
        mtree_store_range(mt, a as number, b as number, (e as number) * 2 + (e === 0 ? 0 : 1));
      else if (op === 'erase') mtree_erase(mt, a as number);
      else if (op === 'iter' && nn !== undefined) {
        sum.ours += mt_nr_nodes(mt);
        sum.theirs += nn;
      }
    }
    mtree_destroy(mt);
    return sum;
  }

  it('are not many more than the real tree has', () => {
    const traces = files.filter((file) => /p(0[1-8]|10|13)-/.test(file));
    expect(traces).toHaveLength(10);
    for (const file of traces) {
      const { ours, theirs } = nodesBeside(file);
      expect(ours / theirs, file).toBeLessThan(1.15);
    }
  });
});

describe('selftest maple', () => {
  it('names file, line, operation, expected and got', () => {
    const store = { op: 'store', a: 3, b: 5, e: 7, r: 0 };
    const wrong = { op: 'load', a: 4, r: 8 };
    const file = written('wrong.jsonl.gz', { trace: 'x', flags: 'plain' }, store, wrong, { op: 'load', a: 4, r: 7 });
    const result = runMapleSelftest([file, files[0] as string]);
    expect(result).toEqual({ passed: 1, failed: 1, failures: [`${file}:3: ${JSON.stringify(wrong)}: expected {"r":8}, got {"r":7}`] });
  });

  it.each([
    ['is missing', join(scratch, 'none.jsonl'), /cannot be read \(ENOENT\)/],
    ['is not JSON', written('text.jsonl', 'hello'), /text\.jsonl, line 1: is not JSON/],
    ['has no header', written('head.jsonl', { op: 'load' }), /line 1: is not a maple vector header/],
    ['is empty', written('empty.jsonl', { trace: 'x', flags: 'plain' }), /holds no operations/],
    ['has odd flags', written('flags.jsonl', { trace: 'x', flags: 'odd' }, { op: 'destroy' }), /flags are neither/],
    ['has an unknown operation', written('op.jsonl', { trace: 'x' }, { op: 'fly', t: 0 }), /line 2: no operation has the name "fly"/],
    ['lacks a field', written('field.jsonl', { trace: 'x' }, { op: 'load', t: 0, r: 0 }), /line 2: "load" needs an integer "a"/],
  ])('a file that %s is one sentence', (_what, file, message) => {
    expect(() => runMapleSelftest([file])).toThrow(BadVectorFile);
    expect(() => runMapleSelftest([file])).toThrow(message);
  });
});
