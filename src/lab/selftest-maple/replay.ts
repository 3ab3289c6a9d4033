/** Replays a vector file: each operation on the emulated tree, its answer compared with the recorded one. */

import { MT_FLAGS_ALLOC_RANGE, MT_FLAGS_USE_RCU, maple_tree } from '../../kernel/include/maple_tree.ts';
import { ULONG_MAX } from '../../kernel/include/mm_types.ts';
import { mas_destroy, mas_expected_entries } from '../../kernel/lib/maple-tree/bulk.ts';
import { mtree_destroy } from '../../kernel/lib/maple-tree/destroy.ts';
import { mas_empty_area, mas_empty_area_rev } from '../../kernel/lib/maple-tree/gaps.ts';
import { mt_init_flags } from '../../kernel/lib/maple-tree/init.ts';
import { mas_find, mas_find_rev, mas_next, mas_prev } from '../../kernel/lib/maple-tree/iterate.ts';
import {
  mt_find,
  mt_find_after,
  mt_next,
  mt_prev,
  mtree_alloc_range,
  mtree_alloc_rrange,
  mtree_empty,
  mtree_erase,
  mtree_insert_range,
  mtree_load,
  mtree_lock,
  mtree_store_range,
  mtree_unlock,
} from '../../kernel/lib/maple-tree/normal-api.ts';
import { mt_height } from '../../kernel/lib/maple-tree/rebuild.ts';
import { MA_STATE, MAS_NONE, type ma_state, mas_pause } from '../../kernel/lib/maple-tree/state.ts';
import { mt_validate } from '../../kernel/lib/maple-tree/validate.ts';
import { mas_walk } from '../../kernel/lib/maple-tree/walk.ts';
import { mas_erase, mas_store_gfp } from '../../kernel/lib/maple-tree/write.ts';
import { rcu_barrier } from '../../kernel/rcu.ts';
import { get } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { slabAlloc, slabCache, slabFree } from '../../machine/slab.ts';
import { entryOf, fnv1a, indexOf, MAX_ENTRY, writeDigest, writeEntry, writeIndex } from './numbers.ts';
import { BadVectorFile, type VectorFile, type VectorLine } from './vector-file.ts';

const trees = slabCache(maple_tree);

/** Announced bulk entries that nodes are allocated for. */
const MAX_BULK = 20_000;

/** Differences that are told of one file; the rest is counted. */
const TOLD = 20;

/** What a replay found. */
export interface ReplayResult {
  /** Operations replayed. */
  operations: number;
  /** Operations that answered otherwise. */
  differences: number;
  /** One line each: file, line, operation, expected, got. */
  failures: string[];
}

interface Tree {
  mt: Ptr<'maple_tree'>;
  flags: number;
}

/** The numbers of one answer, by field name of the file. */
type Answer = Record<string, number | string>;

/** A replay in progress. */
class Replay {
  readonly #file: VectorFile;
  readonly #extraFlags: number;
  readonly #trees = new Map<number, Tree>();
  readonly #cursors = new Map<number, ma_state>();
  readonly #failures: string[] = [];
  #differences = 0;
  #line: VectorLine = { op: '', line: 0, fields: {} };

  constructor(file: VectorFile, extraFlags: number) {
    this.#file = file;
    this.#extraFlags = extraFlags;
    const flags = file.header.flags;
    if (flags !== undefined) this.#makeTree(0, this.#flagsOf(flags));
  }

  run(): ReplayResult {
    for (const line of this.#file.lines) {
      this.#line = line;
      this.#step(line.op);
    }
    for (const tree of this.#trees.values()) {
      mtree_destroy(tree.mt);
      slabFree(trees, tree.mt);
    }
    rcu_barrier();
    return { operations: this.#file.lines.length, differences: this.#differences, failures: this.#failures };
  }

  #bad(what: string): never {
    throw new BadVectorFile(`--vectors ${this.#file.name}, line ${this.#line.line}: ${what}`);
  }

  /** `alloc` or `plain`, perhaps with `rcu`. */
  #flagsOf(written: unknown): number {
    const words = String(written).split(/[^a-z]+/);
    if (words.some((word) => !['alloc', 'plain', 'rcu'].includes(word))) {
      throw new BadVectorFile(`--vectors ${this.#file.name}: flags are neither "alloc" nor "plain"`);
    }
    return (words.includes('alloc') ? MT_FLAGS_ALLOC_RANGE : 0) | (words.includes('rcu') ? MT_FLAGS_USE_RCU : 0) | this.#extraFlags;
  }

  /** A field that must be an integer. */
  #number(field: string): number {
    const value = this.#line.fields[field];
    if (!Number.isSafeInteger(value)) this.#bad(`"${this.#line.op}" needs an integer "${field}"`);
    return value as number;
  }

  #index(field: string): number {
    return indexOf(this.#number(field));
  }

  #entry(): number {
    const entry = this.#number('e');
    if (entry < -1 || entry > MAX_ENTRY) this.#bad(`entry ${entry} is not within -1..${MAX_ENTRY}`);
    return entryOf(entry);
  }

  #makeTree(number: number, flags: number): Tree {
    let tree = this.#trees.get(number);
    if (tree === undefined) {
      tree = { mt: slabAlloc(trees), flags };
      this.#trees.set(number, tree);
    } else {
      mtree_destroy(tree.mt);
      tree.flags = flags;
    }
    mt_init_flags(tree.mt, flags);
    return tree;
  }

  #tree(): Ptr<'maple_tree'> {
    const number = this.#line.fields.t === undefined ? 0 : this.#number('t');
    return (this.#trees.get(number) ?? this.#makeTree(number, MT_FLAGS_ALLOC_RANGE | this.#extraFlags)).mt;
  }

  #cursor(): ma_state {
    const number = this.#line.fields.c === undefined ? 0 : this.#number('c');
    let mas = this.#cursors.get(number);
    if (mas === undefined) {
      mas = MA_STATE(this.#tree(), 0, 0);
      this.#cursors.set(number, mas);
    } else if (this.#line.fields.t !== undefined) mas.tree = this.#tree();
    return mas;
  }

  /** Compares the answer with the fields of the line; fields that the line lacks are not compared. */
  #expect(answer: Answer): void {
    const wanted = this.#line.fields;
    const differ = Object.keys(answer).filter((field) => wanted[field] !== undefined && wanted[field] !== answer[field]);
    if (differ.length > 0) this.#fail(this.#pick(wanted, answer), JSON.stringify(answer));
  }

  #pick(wanted: Record<string, unknown>, answer: Answer): string {
    return JSON.stringify(Object.fromEntries(Object.keys(answer).map((field) => [field, wanted[field]])));
  }

  #fail(expected: string, got: string): void {
    this.#differences++;
    if (this.#differences > TOLD) return;
    const { list: _, ...shown } = this.#line.fields;
    this.#failures.push(`${this.#file.name}:${this.#line.line}: ${JSON.stringify(shown)}: expected ${expected}, got ${got}`);
  }

  #step(op: string): void {
    if (op.startsWith('c')) this.#cursorStep(op);
    else this.#treeStep(op);
  }

  #treeStep(op: string): void {
    const mt = op === 'init' ? (0 as Ptr<'maple_tree'>) : this.#tree();
    switch (op) {
      case 'init':
        this.#makeTree(this.#number('t'), this.#flagsOf(this.#line.fields.flags));
        return;
      case 'store':
        this.#expect({ r: mtree_store_range(mt, this.#index('a'), this.#index('b'), this.#entry()) });
        return;
      case 'insert':
        this.#expect({ r: mtree_insert_range(mt, this.#index('a'), this.#index('b'), this.#entry()) });
        return;
      case 'erase':
        this.#expect({ r: writeEntry(mtree_erase(mt, this.#index('a'))) });
        return;
      case 'load':
        this.#expect({ r: writeEntry(mtree_load(mt, this.#index('a'))) });
        return;
      case 'find':
      case 'findafter': {
        const at = { value: this.#index('a') };
        const entry = op === 'find' ? mt_find(mt, at, this.#index('b')) : mt_find_after(mt, at, this.#index('b'));
        this.#expect(entry === 0 ? { r: 0 } : { r: writeEntry(entry), n: writeIndex(at.value) });
        return;
      }
      case 'next':
        this.#expect({ r: writeEntry(mt_next(mt, this.#index('a'), this.#index('b'))) });
        return;
      case 'prev':
        this.#expect({ r: writeEntry(mt_prev(mt, this.#index('a'), this.#index('b'))) });
        return;
      case 'seq':
        this.#sequence(mt);
        return;
      case 'gap':
      case 'gaprev':
        this.#gap(mt, op === 'gaprev');
        return;
      case 'gapfill':
        this.#gapFill(mt);
        return;
      case 'alloc':
      case 'ralloc': {
        const start = { value: 0 };
        const allocate = op === 'alloc' ? mtree_alloc_range : mtree_alloc_rrange;
        const r = allocate(mt, start, this.#entry(), this.#number('s'), this.#index('a'), this.#index('b'));
        this.#expect(r === 0 ? { r, f: writeIndex(start.value) } : { r });
        return;
      }
      case 'height':
        if (mt_height(mt) > 0 !== this.#number('r') > 0) this.#fail(`height ${this.#number('r')}`, `height ${mt_height(mt)}`);
        return;
      case 'empty':
        this.#expect({ r: mtree_empty(mt) ? 1 : 0 });
        return;
      case 'iter':
      case 'dump':
        this.#content(mt);
        return;
      case 'destroy': {
        const flags = get(mt, maple_tree.ma_flags);
        mtree_destroy(mt);
        mt_init_flags(mt, flags & (MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU));
        return;
      }
      default:
        this.#bad(`no operation has the name ${JSON.stringify(op)}`);
    }
  }

  #sequence(mt: Ptr<'maple_tree'>): void {
    const store = this.#line.fields.k === 'insert' ? mtree_insert_range : mtree_store_range;
    const [n, a, b, e, da, db, de] = ['n', 'a', 'b', 'e', 'da', 'db', 'de'].map((field) => this.#number(field)) as number[];
    for (let i = 0; i < (n as number); i++) {
      const first = indexOf((a as number) + i * (da as number));
      const last = indexOf((b as number) + i * (db as number));
      const r = store(mt, first, last, entryOf((e as number) + i * (de as number)));
      if (r !== this.#number('r')) {
        this.#fail(`r=${this.#number('r')} for the operation ${i} of the sequence`, `r=${r}`);
        return;
      }
    }
  }

  #gap(mt: Ptr<'maple_tree'>, highest: boolean): void {
    const mas = MA_STATE(mt, 0, 0);
    mtree_lock(mt);
    const search = highest ? mas_empty_area_rev : mas_empty_area;
    const r = search(mas, this.#index('a'), this.#index('b'), this.#number('s'));
    mtree_unlock(mt);
    this.#expect(r === 0 ? { r, f: writeIndex(mas.index), l: writeIndex(mas.last) } : { r });
  }

  #gapFill(mt: Ptr<'maple_tree'>): void {
    const mas = MA_STATE(mt, 0, 0);
    const count = this.#number('n');
    let h = fnv1a('');
    mtree_lock(mt);
    for (let i = 0; i < count; i++) {
      const r = mas_empty_area(mas, this.#index('a'), this.#index('b'), this.#number('s'));
      if (r !== 0) {
        mtree_unlock(mt);
        this.#fail(`${count} gaps`, `r=${r} at gap ${i}`);
        return;
      }
      h = fnv1a(`${writeIndex(mas.index)},${writeIndex(mas.last)};`, h);
      mas_store_gfp(mas, this.#entry());
    }
    mtree_unlock(mt);
    this.#expect({ h: writeDigest(h) });
  }

  /** The whole content, by a cursor from 0 to the top, and the tree's own check. */
  #content(mt: Ptr<'maple_tree'>): void {
    const ranges: [number, number, number][] = [];
    const mas = MA_STATE(mt, 0, 0);
    mtree_lock(mt);
    for (let entry = mas_find(mas, ULONG_MAX); entry !== 0; entry = mas_find(mas, ULONG_MAX)) {
      ranges.push([writeIndex(mas.index), writeIndex(mas.last), writeEntry(entry)]);
    }
    mtree_unlock(mt);
    let h = fnv1a('');
    for (const range of ranges) h = fnv1a(`${range.join(',')};`, h);
    const list = this.#line.fields.list;
    if (list !== undefined && JSON.stringify(list) !== JSON.stringify(ranges)) {
      const at = (list as unknown[]).findIndex((range, i) => JSON.stringify(range) !== JSON.stringify(ranges[i]));
      const i = at < 0 ? (list as unknown[]).length : at;
      this.#fail(`range ${i} ${JSON.stringify((list as unknown[])[i])}`, JSON.stringify(ranges[i]) ?? 'no more ranges');
    } else this.#expect({ n: ranges.length, h: writeDigest(h) });
    const faults = mt_validate(mt);
    if (faults.length > 0) this.#fail('a valid tree', faults.slice(0, 3).join('; '));
  }

  #cursorStep(op: string): void {
    const mas = this.#cursor();
    mtree_lock(mas.tree);
    try {
      this.#lockedCursorStep(op, mas);
    } finally {
      mtree_unlock(mas.tree);
    }
  }

  #lockedCursorStep(op: string, mas: ma_state): void {
    switch (op) {
      case 'cset':
        mas.node = MA_STATE(mas.tree, 0, 0).node;
        mas.index = this.#index('a');
        mas.last = this.#line.fields.b === undefined ? mas.index : this.#index('b');
        return;
      case 'cpos':
        mas.index = this.#index('a');
        mas.last = this.#index('b');
        return;
      case 'cpause':
        mas_pause(mas);
        return;
      case 'cnone':
        mas.node = MAS_NONE;
        mas.index = this.#index('a');
        mas.last = this.#line.fields.b === undefined ? mas.index : this.#index('b');
        return;
      case 'cfind':
        this.#expectRange(mas, mas_find(mas, this.#index('b')));
        return;
      case 'cnext':
        this.#expectRange(mas, mas_next(mas, this.#index('b')));
        return;
      case 'cprev':
        this.#expectRange(mas, mas_prev(mas, this.#index('b')));
        return;
      case 'cfindrev':
        this.#expectRange(mas, mas_find_rev(mas, this.#index('b')));
        return;
      case 'cwalk':
        this.#expect({ r: writeEntry(mas_walk(mas)), f: writeIndex(mas.index), l: writeIndex(mas.last) });
        return;
      case 'cstore': {
        mas.index = this.#index('a');
        mas.last = this.#index('b');
        const r = mas_store_gfp(mas, this.#entry());
        if (r !== 0) this.#fail('r=0', `r=${r}`);
        return;
      }
      case 'cerase':
        this.#expect({ r: writeEntry(mas_erase(mas)) });
        return;
      case 'cbulk':
        // More would not fit the memory; a file's stores need no preallocation.
        if (this.#number('n') <= MAX_BULK) this.#expect({ r: mas_expected_entries(mas, this.#number('n')) });
        return;
      case 'cend':
        mas_destroy(mas);
        return;
      default:
        this.#bad(`no operation has the name ${JSON.stringify(op)}`);
    }
  }

  #expectRange(mas: ma_state, entry: number): void {
    this.#expect(entry === 0 ? { r: 0 } : { r: writeEntry(entry), f: writeIndex(mas.index), l: writeIndex(mas.last) });
  }
}

/**
 * Replays one file.
 * @param rcu  with trees in RCU mode, where writes replace nodes instead of changing them
 * @throws BadVectorFile
 */
export function replayVectors(file: VectorFile, rcu = false): ReplayResult {
  return new Replay(file, rcu ? MT_FLAGS_USE_RCU : 0).run();
}
