/**
 * The built-in quick set of `selftest maple`: vectors whose answers come from the plain range model instead of a recorded
 * tree. Always the same: generated from fixed seeds.
 */
import { entryOf, fnv1a, indexOf, writeDigest, writeEntry, writeIndex } from './numbers.ts';
import { type Range, RangeModel } from './range-model.ts';
import type { VectorFile, VectorLine } from './vector-file.ts';

/** How the operations of one case are drawn. */
interface Recipe {
  name: string;
  seed: number;
  operations: number;
  /** Indices are drawn from 0..span - 1, times `step`. */
  span: number;
  step: number;
  /** Widest store, in steps. */
  width: number;
  flags: 'alloc' | 'plain';
}

const RECIPES: Recipe[] = [
  { name: 'quick-tiny', seed: 11, operations: 1500, span: 24, step: 1, width: 6, flags: 'plain' },
  { name: 'quick-singletons', seed: 12, operations: 3000, span: 400, step: 1, width: 1, flags: 'plain' },
  { name: 'quick-ranges', seed: 13, operations: 3000, span: 2000, step: 1, width: 12, flags: 'alloc' },
  { name: 'quick-pages', seed: 14, operations: 3000, span: 3000, step: 4096, width: 16, flags: 'alloc' },
  { name: 'quick-wide', seed: 15, operations: 2000, span: 300, step: 2 ** 38, width: 120, flags: 'alloc' },
];

/** xorshift32: the same numbers everywhere. */
class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }
}

type Fields = Record<string, unknown>;

function answer(range: Range | undefined): Fields {
  return range === undefined ? { r: 0 } : { r: writeEntry(range.entry), f: writeIndex(range.first), l: writeIndex(range.last) };
}

/** Draws one operation (a cursor's takes two lines) and lets the model answer it. */
function draw(dice: Dice, recipe: Recipe, model: RangeModel): Fields[] {
  const a = dice.below(recipe.span) * recipe.step;
  const b = dice.below(40) === 0 ? -1 : a + dice.below(recipe.width) * recipe.step + recipe.step - 1;
  const last = indexOf(b);
  const kind = dice.below(12);
  if (kind < 5) {
    const e = dice.below(4) === 0 ? 0 : dice.below(5000) + 1;
    if (kind === 4) {
      const free = model.isFree(a, last);
      if (free) model.store(a, last, entryOf(e));
      return [{ op: 'insert', a, b, e, r: free ? 0 : -17 }];
    }
    model.store(a, last, entryOf(e));
    return [{ op: 'store', a, b, e, r: 0 }];
  }
  const around = { ...model.around(a) };
  if (kind === 5) {
    if (around.entry !== 0) model.store(around.first, around.last, 0);
    return [{ op: 'erase', a, r: writeEntry(around.entry) }];
  }
  if (kind === 6) return [{ op: 'load', a, r: writeEntry(around.entry) }];
  if (kind === 7 && recipe.flags === 'alloc') {
    const highest = dice.below(2) === 1;
    const s = (dice.below(recipe.width) + 1) * recipe.step;
    const f = model.gap(a, last, s, highest);
    const op = highest ? 'gaprev' : 'gap';
    if (a >= last) return [{ op, a, b, s, r: -22 }];
    return [f < 0 ? { op, a, b, s, r: -16 } : { op, a, b, s, r: 0, f: writeIndex(f), l: writeIndex(f + s - 1) }];
  }
  const fresh = { op: 'cset', a };
  if (kind === 8) return [fresh, { op: 'cfind', b, ...answer(model.find(a, last)) }];
  if (kind === 9) return [fresh, { op: 'cnext', b, ...answer(model.after(a, last)) }];
  if (kind === 10) return [fresh, { op: 'cprev', b: 0, ...answer(model.before(a, 0)) }];
  return [fresh, { op: 'cwalk', r: writeEntry(around.entry), f: writeIndex(around.first), l: writeIndex(around.last) }];
}

/** The line that compares the whole content. */
function content(model: RangeModel): Fields {
  let h = fnv1a('');
  const ranges = model.entries();
  for (const { first, last, entry } of ranges) h = fnv1a(`${writeIndex(first)},${writeIndex(last)},${writeEntry(entry)};`, h);
  return { op: 'iter', n: ranges.length, h: writeDigest(h) };
}

function generate(recipe: Recipe): VectorFile {
  const dice = new Dice(recipe.seed);
  const model = new RangeModel();
  const lines: VectorLine[] = [];
  const add = (fields: Fields) => lines.push({ op: fields.op as string, line: lines.length + 2, fields });
  for (let i = 0; i < recipe.operations; i++) {
    for (const fields of draw(dice, recipe, model)) add(fields);
    if (i % 100 === 99) add(content(model));
  }
  return { name: recipe.name, header: { trace: recipe.name, flags: recipe.flags }, lines };
}

/** The cases of the quick set, as if they had been read from files. */
export function quickSet(): VectorFile[] {
  return RECIPES.map(generate);
}
