/** `struct list_head`: circular doubly linked lists (include/linux/list.h, Linux 6.1). @notrace */
import { get, set } from '../../machine/door.ts';
import { type Ptr, pointer, struct } from '../../machine/layout.ts';

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
