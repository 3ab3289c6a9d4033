/** Making a tree, and which lock and which readers it has. @notrace */
import { addressOf, get, set } from '../../../machine/door.ts';
import { NULL, type Ptr } from '../../../machine/layout.ts';
import { MT_FLAGS_LOCK_EXTERN, MT_FLAGS_LOCK_MASK, MT_FLAGS_USE_RCU, maple_tree } from '../../include/maple_tree.ts';
import { staticKey } from '../../locking/lockdep/types.ts';
import { spin_lock_init } from '../../locking/spinlock.ts';
import { rcu_assign_pointer } from '../../rcu.ts';

const maLockKey = staticKey('&mt->ma_lock');

/** Makes an empty tree. @param flags  MT_FLAGS_* */
export function mt_init_flags(mt: Ptr<'maple_tree'>, flags: number): void {
  set(mt, maple_tree.ma_flags, flags);
  set(mt, maple_tree.ma_external_lock, NULL);
  if ((flags & MT_FLAGS_LOCK_MASK) !== MT_FLAGS_LOCK_EXTERN) {
    spin_lock_init(addressOf(mt, maple_tree.ma_lock), '&mt->ma_lock', maLockKey);
  }
  rcu_assign_pointer(mt, maple_tree.ma_root, 0);
}

/** Makes an empty tree without gap tracking, under its own lock. */
export function mtree_init(mt: Ptr<'maple_tree'>, flags: number): void {
  mt_init_flags(mt, flags);
}

/** Tells the lock checks which lock protects a tree with LOCK_EXTERN. @param map  the lock's lockdep_map */
export function mt_set_external_lock(mt: Ptr<'maple_tree'>, map: Ptr<'lockdep_map'>): void {
  set(mt, maple_tree.ma_external_lock, map);
}

/** From now on readers go without locks: nodes are replaced instead of changed. The writers' lock must be held. */
export function mt_set_in_rcu(mt: Ptr<'maple_tree'>): void {
  set(mt, maple_tree.ma_flags, get(mt, maple_tree.ma_flags) | MT_FLAGS_USE_RCU);
}

/** From now on readers hold the lock: nodes are changed in place and freed at once. The writers' lock must be held. */
export function mt_clear_in_rcu(mt: Ptr<'maple_tree'>): void {
  set(mt, maple_tree.ma_flags, get(mt, maple_tree.ma_flags) & ~MT_FLAGS_USE_RCU);
}
