/**
 * Filling a tree in one go, as fork does: the nodes are allocated before, so that the stores that follow cannot run out of memory.
 *
 * The stores need not be ascending, but only then does the estimate hold; and only without RCU readers, because nodes that
 * a store replaces are then used again by the next. (Ascending stores fill leaves up anyway, see rebuild.ts.)
 * @notrace
 */
import { ENOMEM } from '../../include/errno.ts';
import { ma_next_spare, ma_set_next_spare, maple_leaf_64, mt_alloc_one, mt_free_one, mt_min_slots, mt_slots } from './node.ts';
import { mt_inner_type } from './rebuild.ts';
import type { ma_state } from './state.ts';

/** Levels of a tree that a write may rebuild, and nodes that it may need on each before the old ones are free. */
const REBUILT_LEVELS = 8;
const NODES_A_LEVEL = 3;

/**
 * Announces `nr_entries` ascending stores through this cursor. {@link mas_destroy} must follow.
 * @returns 0 or -ENOMEM (nothing is kept then)
 */
export function mas_expected_entries(mas: ma_state, nr_entries: number): number {
  // Each entry may be followed by a NULL; a level of nodes is at least as full as the fill below.
  let below = 2 * nr_entries + 1;
  let wanted = REBUILT_LEVELS * NODES_A_LEVEL;
  for (let fill = mt_slots(maple_leaf_64) / 2; below > 1; fill = mt_min_slots(mt_inner_type(mas.tree))) {
    below = Math.ceil(below / fill);
    wanted += below;
  }
  for (; wanted > 0; wanted--) {
    const node = mt_alloc_one();
    if (node === 0) {
      mas_destroy(mas);
      return -ENOMEM;
    }
    ma_set_next_spare(node, mas.alloc);
    mas.alloc = node;
  }
  return 0;
}

/** Frees what was allocated beforehand and is left. The cursor can be used again. */
export function mas_destroy(mas: ma_state): void {
  while (mas.alloc !== 0) {
    const node = mas.alloc;
    mas.alloc = ma_next_spare(node);
    mt_free_one(node);
  }
}
