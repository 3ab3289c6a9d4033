import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as rb from '../../../src/kernel/lib/rbtree.ts';
import { addressOf, containerOf, get, set } from '../../../src/machine/door.ts';
import { embed, NULL, type Ptr, struct, word } from '../../../src/machine/layout.ts';
import { staticStorage } from '../../../src/machine/memory.ts';

const item = struct('rb_test_item', { key: word, node: embed(rb.rb_node) });
const ITEMS = 512;
const items = staticStorage('rb_test_items', ITEMS * item.SIZE).address;
const root = staticStorage('rb_test_root', rb.rb_root.SIZE).address as Ptr<'rb_root'>;

const itemAt = (i: number) => (items + i * item.SIZE) as Ptr<'rb_test_item'>;
const nodeOf = (i: number) => addressOf(itemAt(i), item.node);
const keyOf = (node: Ptr<'rb_node'>) => get(containerOf(node, item.node), item.key);

function insert(i: number, key: number): void {
  set(itemAt(i), item.key, key);
  let above: Ptr<'rb_node'> = NULL;
  let left = false;
  for (let at = get(root, rb.rb_root.rb_node); at !== NULL; ) {
    above = at;
    left = key < keyOf(at);
    at = left ? get(at, rb.rb_node.rb_left) : get(at, rb.rb_node.rb_right);
  }
  rb.rb_link_node(root, nodeOf(i), above, left);
  rb.rb_insert_color(nodeOf(i), root);
}

/** Black height of a subtree; throws where the rules are broken. */
function blackHeight(node: Ptr<'rb_node'>, above: Ptr<'rb_node'>): number {
  if (node === NULL) return 1;
  expect(get(node, rb.rb_node.rb_parent)).toBe(above);
  const red = get(node, rb.rb_node.rb_color) === rb.RB_RED;
  const [left, right] = [get(node, rb.rb_node.rb_left), get(node, rb.rb_node.rb_right)];
  for (const child of [left, right]) {
    if (red && child !== NULL) expect(get(child, rb.rb_node.rb_color)).toBe(rb.RB_BLACK);
  }
  const height = blackHeight(left, node);
  expect(blackHeight(right, node)).toBe(height);
  return height + (red ? 0 : 1);
}

function keysForward(): number[] {
  const keys: number[] = [];
  for (let node = rb.rb_first(root); node !== NULL; node = rb.rb_next(node)) keys.push(keyOf(node));
  return keys;
}

function keysBackward(): number[] {
  const keys: number[] = [];
  for (let node = rb.rb_last(root); node !== NULL; node = rb.rb_prev(node)) keys.push(keyOf(node));
  return keys;
}

function checkAgainst(model: readonly number[]): void {
  const top = get(root, rb.rb_root.rb_node);
  if (top !== NULL) expect(get(top, rb.rb_node.rb_color)).toBe(rb.RB_BLACK);
  blackHeight(top, NULL);
  const sorted = [...model].sort((a, b) => a - b);
  expect(keysForward()).toEqual(sorted);
  expect(keysBackward()).toEqual(sorted.reverse());
}

test('any sequence of inserts and erases keeps order and balance', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(60), fc.nat()), { maxLength: 120 }), (steps) => {
      set(root, rb.rb_root.rb_node, NULL);
      const inTree: number[] = [];
      let next = 0;
      for (const [erase, key, pick] of steps) {
        if (erase && inTree.length > 0) {
          const [i] = inTree.splice(pick % inTree.length, 1) as [number];
          rb.rb_erase(nodeOf(i), root);
        } else {
          insert(next, key);
          inTree.push(next++);
        }
        checkAgainst(inTree.map((i) => get(itemAt(i), item.key)));
      }
    }),
    { numRuns: 150 },
  );
});

test('ascending and descending keys give a tree of logarithmic height', () => {
  for (const direction of [1, -1]) {
    set(root, rb.rb_root.rb_node, NULL);
    for (let i = 0; i < ITEMS; i++) insert(i, direction * i);
    const height = (node: Ptr<'rb_node'>): number =>
      node === NULL ? 0 : 1 + Math.max(height(get(node, rb.rb_node.rb_left)), height(get(node, rb.rb_node.rb_right)));
    expect(height(get(root, rb.rb_root.rb_node))).toBeLessThanOrEqual(2 * Math.log2(ITEMS + 1));
  }
});

test('a node can take the place of one that sorts alike', () => {
  for (let victim = 0; victim < 20; victim++) {
    set(root, rb.rb_root.rb_node, NULL);
    for (let i = 0; i < 20; i++) insert(i, i);
    set(itemAt(100), item.key, victim);
    rb.rb_replace_node(nodeOf(victim), nodeOf(100), root);
    checkAgainst(Array.from({ length: 20 }, (_, i) => i));
    rb.rb_erase(nodeOf(100), root);
    checkAgainst(Array.from({ length: 20 }, (_, i) => i).filter((i) => i !== victim));
  }
});

test('an empty tree has no first, no last', () => {
  set(root, rb.rb_root.rb_node, NULL);
  expect(rb.rb_first(root)).toBe(NULL);
  expect(rb.rb_last(root)).toBe(NULL);
});
