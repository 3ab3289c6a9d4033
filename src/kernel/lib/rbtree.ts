/**
 * Red-black trees in shared memory (lib/rbtree.c, include/linux/rbtree.h, Linux 6.1). @notrace
 *
 * A node is embedded in the object that it sorts; the tree knows no keys. Whoever inserts walks down by itself, comparing as it
 * likes, and hands the place that it found to {@link rb_link_node}; {@link rb_insert_color} then restores the balance:
 *
 * - the root is black, a red node has black children only,
 * - every way from a node down to a leaf passes the same number of black nodes.
 *
 * The caller holds the lock that protects the tree. Algorithms: Cormen et al., Introduction to Algorithms, chapter 13.
 */
import { get, set } from '../../machine/door.ts';
import { NULL, type Ptr, pointer, struct, word } from '../../machine/layout.ts';

export const RB_RED = 0;
export const RB_BLACK = 1;

export const rb_node = struct('rb_node', {
  rb_parent: pointer('rb_node'),
  rb_left: pointer('rb_node'),
  rb_right: pointer('rb_node'),
  /** RB_RED or RB_BLACK. */
  rb_color: word,
});

export const rb_root = struct('rb_root', { rb_node: pointer('rb_node') });

type Node = Ptr<'rb_node'>;
type Root = Ptr<'rb_root'>;

function parent(node: Node): Node {
  return get(node, rb_node.rb_parent);
}

function isBlack(node: Node): boolean {
  return node === NULL || get(node, rb_node.rb_color) === RB_BLACK;
}

/** Puts `child` where `old` was under `above` (NULL: the root). */
function replaceChild(root: Root, above: Node, old: Node, child: Node): void {
  if (above === NULL) set(root, rb_root.rb_node, child);
  else if (get(above, rb_node.rb_left) === old) set(above, rb_node.rb_left, child);
  else set(above, rb_node.rb_right, child);
}

/** The right child of `node` takes its place; `node` becomes its left child. */
function rotateLeft(root: Root, node: Node): void {
  const up = get(node, rb_node.rb_right);
  const middle = get(up, rb_node.rb_left);
  const above = parent(node);
  set(node, rb_node.rb_right, middle);
  if (middle !== NULL) set(middle, rb_node.rb_parent, node);
  set(up, rb_node.rb_left, node);
  set(up, rb_node.rb_parent, above);
  replaceChild(root, above, node, up);
  set(node, rb_node.rb_parent, up);
}

/** The left child of `node` takes its place; `node` becomes its right child. */
function rotateRight(root: Root, node: Node): void {
  const up = get(node, rb_node.rb_left);
  const middle = get(up, rb_node.rb_right);
  const above = parent(node);
  set(node, rb_node.rb_left, middle);
  if (middle !== NULL) set(middle, rb_node.rb_parent, node);
  set(up, rb_node.rb_right, node);
  set(up, rb_node.rb_parent, above);
  replaceChild(root, above, node, up);
  set(node, rb_node.rb_parent, up);
}

/**
 * Hangs a node, red and without children, on the place where a walk ended.
 * @param above  the last node of the walk, NULL when the tree is empty
 * @param left  on its left side? (Linux: the address of the link)
 */
export function rb_link_node(root: Root, node: Node, above: Node, left: boolean): void {
  set(node, rb_node.rb_parent, above);
  set(node, rb_node.rb_left, NULL);
  set(node, rb_node.rb_right, NULL);
  set(node, rb_node.rb_color, RB_RED);
  if (above === NULL) set(root, rb_root.rb_node, node);
  else if (left) set(above, rb_node.rb_left, node);
  else set(above, rb_node.rb_right, node);
}

/** Restores the balance after {@link rb_link_node}. */
export function rb_insert_color(node: Node, root: Root): void {
  let at = node;
  // Invariant: `at` is red, and a red parent is the only thing that can be wrong.
  for (let above = parent(at); !isBlack(above); above = parent(at)) {
    const grand = parent(above);
    const leftSide = get(grand, rb_node.rb_left) === above;
    const uncle = leftSide ? get(grand, rb_node.rb_right) : get(grand, rb_node.rb_left);
    if (!isBlack(uncle)) {
      set(above, rb_node.rb_color, RB_BLACK);
      set(uncle, rb_node.rb_color, RB_BLACK);
      set(grand, rb_node.rb_color, RB_RED);
      at = grand;
      continue;
    }
    if (leftSide) {
      if (get(above, rb_node.rb_right) === at) {
        rotateLeft(root, above);
        at = above;
        above = parent(at);
      }
      set(above, rb_node.rb_color, RB_BLACK);
      set(grand, rb_node.rb_color, RB_RED);
      rotateRight(root, grand);
    } else {
      if (get(above, rb_node.rb_left) === at) {
        rotateRight(root, above);
        at = above;
        above = parent(at);
      }
      set(above, rb_node.rb_color, RB_BLACK);
      set(grand, rb_node.rb_color, RB_RED);
      rotateLeft(root, grand);
    }
  }
  set(get(root, rb_root.rb_node), rb_node.rb_color, RB_BLACK);
}

/** The ways through `child` (which may be NULL) under `above` are one black node short: repairs that. */
function eraseColor(root: Root, child: Node, above: Node): void {
  let at = child;
  let up = above;
  while (up !== NULL && isBlack(at)) {
    const leftSide = get(up, rb_node.rb_left) === at;
    let sibling = leftSide ? get(up, rb_node.rb_right) : get(up, rb_node.rb_left);
    if (!isBlack(sibling)) {
      set(sibling, rb_node.rb_color, RB_BLACK);
      set(up, rb_node.rb_color, RB_RED);
      if (leftSide) rotateLeft(root, up);
      else rotateRight(root, up);
      sibling = leftSide ? get(up, rb_node.rb_right) : get(up, rb_node.rb_left);
    }
    const near = leftSide ? get(sibling, rb_node.rb_left) : get(sibling, rb_node.rb_right);
    const far = leftSide ? get(sibling, rb_node.rb_right) : get(sibling, rb_node.rb_left);
    if (isBlack(near) && isBlack(far)) {
      set(sibling, rb_node.rb_color, RB_RED);
      at = up;
      up = parent(at);
      continue;
    }
    if (isBlack(far)) {
      set(near, rb_node.rb_color, RB_BLACK);
      set(sibling, rb_node.rb_color, RB_RED);
      if (leftSide) rotateRight(root, sibling);
      else rotateLeft(root, sibling);
      sibling = near;
    }
    set(sibling, rb_node.rb_color, get(up, rb_node.rb_color));
    set(up, rb_node.rb_color, RB_BLACK);
    const outer = leftSide ? get(sibling, rb_node.rb_right) : get(sibling, rb_node.rb_left);
    set(outer, rb_node.rb_color, RB_BLACK);
    if (leftSide) rotateLeft(root, up);
    else rotateRight(root, up);
    at = get(root, rb_root.rb_node);
    break;
  }
  if (at !== NULL) set(at, rb_node.rb_color, RB_BLACK);
}

/** Takes a node out. */
export function rb_erase(node: Node, root: Root): void {
  const left = get(node, rb_node.rb_left);
  const right = get(node, rb_node.rb_right);
  const above = parent(node);
  let child: Node;
  let short: Node;
  let lostBlack: boolean;
  if (left === NULL || right === NULL) {
    child = left === NULL ? right : left;
    short = above;
    lostBlack = isBlack(node);
    replaceChild(root, above, node, child);
    if (child !== NULL) set(child, rb_node.rb_parent, above);
  } else {
    // The next node in order has no left child: it leaves its own place and takes over this one with its colour.
    const next = leftmost(right);
    child = get(next, rb_node.rb_right);
    lostBlack = isBlack(next);
    if (next === right) short = next;
    else {
      short = parent(next);
      set(short, rb_node.rb_left, child);
      if (child !== NULL) set(child, rb_node.rb_parent, short);
      set(next, rb_node.rb_right, right);
      set(right, rb_node.rb_parent, next);
    }
    set(next, rb_node.rb_left, left);
    set(left, rb_node.rb_parent, next);
    takeOverLinks(node, next, root);
  }
  if (lostBlack) eraseColor(root, child, short);
}

/** `fresh` takes over parent and colour of `old`, and its place under the parent. */
function takeOverLinks(old: Node, fresh: Node, root: Root): void {
  const above = parent(old);
  set(fresh, rb_node.rb_color, get(old, rb_node.rb_color));
  set(fresh, rb_node.rb_parent, above);
  replaceChild(root, above, old, fresh);
}

/** Puts `fresh` in the place of `victim`, without any balancing: both must sort alike. */
export function rb_replace_node(victim: Node, fresh: Node, root: Root): void {
  const left = get(victim, rb_node.rb_left);
  const right = get(victim, rb_node.rb_right);
  set(fresh, rb_node.rb_left, left);
  set(fresh, rb_node.rb_right, right);
  if (left !== NULL) set(left, rb_node.rb_parent, fresh);
  if (right !== NULL) set(right, rb_node.rb_parent, fresh);
  takeOverLinks(victim, fresh, root);
}

function leftmost(node: Node): Node {
  let at = node;
  for (let left = get(at, rb_node.rb_left); left !== NULL; left = get(at, rb_node.rb_left)) at = left;
  return at;
}

function rightmost(node: Node): Node {
  let at = node;
  for (let right = get(at, rb_node.rb_right); right !== NULL; right = get(at, rb_node.rb_right)) at = right;
  return at;
}

/** The first node in order, or NULL. */
export function rb_first(root: Root): Node {
  const node = get(root, rb_root.rb_node);
  return node === NULL ? NULL : leftmost(node);
}

/** The last node in order, or NULL. */
export function rb_last(root: Root): Node {
  const node = get(root, rb_root.rb_node);
  return node === NULL ? NULL : rightmost(node);
}

/** The node after this one in order, or NULL. */
export function rb_next(node: Node): Node {
  const right = get(node, rb_node.rb_right);
  if (right !== NULL) return leftmost(right);
  let at = node;
  let above = parent(at);
  while (above !== NULL && get(above, rb_node.rb_right) === at) {
    at = above;
    above = parent(at);
  }
  return above;
}

/** The node before this one in order, or NULL. */
export function rb_prev(node: Node): Node {
  const left = get(node, rb_node.rb_left);
  if (left !== NULL) return rightmost(left);
  let at = node;
  let above = parent(at);
  while (above !== NULL && get(above, rb_node.rb_left) === at) {
    at = above;
    above = parent(at);
  }
  return above;
}
