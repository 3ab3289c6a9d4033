/**
 * `struct list_head`: circular doubly linked lists, and `struct hlist_head`: lists with a head of one pointer (include/linux/list.h,
 * Linux 6.1). @notrace
 */
import { get, set } from '../../machine/door.ts';
import { NULL, type Ptr, pointer, struct } from '../../machine/layout.ts';

export const list_head = struct('list_head', { next: pointer('list_head'), prev: pointer('list_head') });

type Head = Ptr<'list_head'>;

export function INIT_LIST_HEAD(list: Head): void {
  set(list, list_head.next, list);
  set(list, list_head.prev, list);
}

function insertBetween(entry: Head, prev: Head, next: Head): void {
  set(next, list_head.prev, entry);
  set(entry, list_head.next, next);
  set(entry, list_head.prev, prev);
  set(prev, list_head.next, entry);
}

/** Inserts directly after `head`. */
export function list_add(entry: Head, head: Head): void {
  insertBetween(entry, head, get(head, list_head.next));
}

/** Inserts directly before `head`: at the tail of its list. */
export function list_add_tail(entry: Head, head: Head): void {
  insertBetween(entry, get(head, list_head.prev), head);
}

/** Takes an entry out and leaves it as a list of its own. */
export function list_del(entry: Head): void {
  const prev = get(entry, list_head.prev);
  const next = get(entry, list_head.next);
  set(next, list_head.prev, prev);
  set(prev, list_head.next, next);
  INIT_LIST_HEAD(entry);
}

/** Takes an entry out and puts it directly after `head`. */
export function list_move(entry: Head, head: Head): void {
  list_del(entry);
  list_add(entry, head);
}

export function list_empty(head: Head): boolean {
  return get(head, list_head.next) === head;
}

export const hlist_head = struct('hlist_head', { first: pointer('hlist_node') });

/** `next` stands first, so that a node can be taken for a head whose first element is the next one. */
export const hlist_node = struct('hlist_node', {
  next: pointer('hlist_node'),
  /** The head, or the node before, taken for a head: where the pointer to this node stands. */
  pprev: pointer('hlist_head'),
});

export function INIT_HLIST_HEAD(head: Ptr<'hlist_head'>): void {
  set(head, hlist_head.first, NULL);
}

export function hlist_empty(head: Ptr<'hlist_head'>): boolean {
  return get(head, hlist_head.first) === NULL;
}

/** Inserts as the first. */
export function hlist_add_head(node: Ptr<'hlist_node'>, head: Ptr<'hlist_head'>): void {
  const first = get(head, hlist_head.first);
  set(node, hlist_node.next, first);
  set(node, hlist_node.pprev, head);
  if (first !== NULL) set(first, hlist_node.pprev, asHead(node));
  set(head, hlist_head.first, node);
}

export function hlist_del(node: Ptr<'hlist_node'>): void {
  const next = get(node, hlist_node.next);
  const place = get(node, hlist_node.pprev);
  set(place, hlist_head.first, next);
  if (next !== NULL) set(next, hlist_node.pprev, place);
}

function asHead(node: Ptr<'hlist_node'>): Ptr<'hlist_head'> {
  return node as number as Ptr<'hlist_head'>;
}
