/**
 * The maple tree (lib/maple_tree.c, include/linux/maple_tree.h, Linux 6.1): a B-tree over ranges of indices, which Linux keeps the VMAs
 * of each process in. Where to read what:
 *
 * | file | holds |
 * |---|---|
 * | node.ts | a node: drawing, layout, pointers |
 * | state.ts | the cursor, `ma_state` |
 * | walk.ts | from the root to an index; the checks of each dereference |
 * | iterate.ts | from range to range, up and down |
 * | write.ts | storing and erasing; rebuild.ts what does not fit a leaf, on the workbench of big-node.ts |
 * | gaps.ts | searching for free room; gap-update.ts keeps the gaps exact |
 * | bulk.ts | filling a tree without running out of memory |
 * | destroy.ts | the end of a tree: the moment that the race is about |
 * | init.ts, normal-api.ts | making a tree; whole operations with their locks |
 * | validate.ts, dump.ts | checking and showing a tree |
 *
 * The legend of the prefixes:
 *
 * | prefix | works on |
 * |---|---|
 * | `mt_`, `mtree_` | a whole tree (`mtree_`: takes the locks itself) |
 * | `mas_` | a cursor, `ma_state` |
 * | `mte_` | an encoded pointer to a node (`maple_enode`) |
 * | `ma_` | a node by its address |
 * | `mpp_` | a parent pointer |
 * | `mab_` | the workbench of a write (`maple_big_node`) |
 *
 * Left out of the kernel's: preallocation for single stores, the dense node type, tracking of freed slots inside
 * nodes. Changed: a node's first index and the pivot of its last slot stand in the node; a structural write rebuilds the
 * levels that it touches instead of splitting, rebalancing and merging in separate steps. The answers are the same.
 */
export { mas_destroy, mas_expected_entries } from './bulk.ts';
export { __mt_destroy, mtree_destroy } from './destroy.ts';
export { mt_dump } from './dump.ts';
export { mas_empty_area, mas_empty_area_rev } from './gaps.ts';
export { mt_clear_in_rcu, mt_init_flags, mt_set_external_lock, mt_set_in_rcu, mtree_init } from './init.ts';
export { mas_find, mas_find_rev, mas_next, mas_prev } from './iterate.ts';
export {
  mt_find,
  mt_find_after,
  mt_next,
  mt_prev,
  mtree_alloc_range,
  mtree_alloc_rrange,
  mtree_empty,
  mtree_erase,
  mtree_insert,
  mtree_insert_range,
  mtree_load,
  mtree_lock,
  mtree_store,
  mtree_store_range,
  mtree_unlock,
  type ulong_ref,
  XA_ZERO_ENTRY,
} from './normal-api.ts';
export { MA_STATE, type ma_state, mas_pause, mas_reset, mas_set, mas_set_range } from './state.ts';
export { mt_nr_nodes, mt_validate } from './validate.ts';
export { mas_load, mas_walk, mt_in_rcu, mt_locked } from './walk.ts';
export { mas_erase, mas_store, mas_store_gfp } from './write.ts';
