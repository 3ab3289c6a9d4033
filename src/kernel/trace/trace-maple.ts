/** Tracepoints of the maple tree. @notrace */
import { announce, isHeard } from '../../machine/announce.ts';
import { get } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { maple_tree } from '../include/maple_tree.ts';
import { EV_FREE, EV_ROOT_DEREF, EV_SET, EV_TREE_DESTROYED, OBJ_MA_ROOT, OBJ_MAPLE_NODES, OBJ_MM_MT } from './vocabulary.ts';

/** A walk is about to read the root. @inline */
export function trace_root_deref(mt: Ptr<'maple_tree'>): void {
  if (isHeard(EV_ROOT_DEREF)) announce(EV_ROOT_DEREF, OBJ_MM_MT, mt, get(mt, maple_tree.ma_flags));
}
/** The destroyer took the root out. @inline */
export function trace_root_cleared(mt: Ptr<'maple_tree'>): void {
  announce(EV_SET, OBJ_MA_ROOT, mt, 0);
}
/** The nodes of a tree are freed, or handed to RCU. @inline */
export function trace_nodes_freed(mt: Ptr<'maple_tree'>): void {
  announce(EV_FREE, OBJ_MAPLE_NODES, mt, 0);
}
/** The tree is gone, its flags are 0. @param flags  what they were @inline */
export function trace_tree_destroyed(mt: Ptr<'maple_tree'>, flags: number): void {
  announce(EV_TREE_DESTROYED, OBJ_MM_MT, mt, flags);
}
