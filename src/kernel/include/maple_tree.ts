/** `struct maple_tree` and its flags (include/linux/maple_tree.h, Linux 6.1). */
import { embed, pointer, struct, word, words } from '../../machine/layout.ts';
import { spinlock_t } from '../locking/spinlock.ts';

/** Track gaps: allocation nodes. */
export const MT_FLAGS_ALLOC_RANGE = 0x01;
/** Nodes are read without locks and freed after a grace period. */
export const MT_FLAGS_USE_RCU = 0x02;
export const MT_FLAGS_HEIGHT_OFFSET = 0x02;
export const MT_FLAGS_HEIGHT_MASK = 0x7c;
export const MT_FLAGS_LOCK_MASK = 0x300;
/** Checked by an external lock: `ma_external_lock` instead of `ma_lock`. */
export const MT_FLAGS_LOCK_EXTERN = 0x300;

export const maple_tree = struct('maple_tree', {
  /** The tree's own lock. A union with the next field in Linux; both are kept here. */
  ma_lock: embed(spinlock_t),
  /** The validator's map of the lock that protects the tree when LOCK_EXTERN is set. */
  ma_external_lock: pointer('lockdep_map'),
  /** The root stands 64 bytes behind the lock's word: a writer that takes the lock leaves lockless readers their cache line. */
  pad: words(5),
  /** Encoded root node, an entry, or NULL. Read racily through rcu_dereference_check. */
  ma_root: word,
  ma_flags: word,
});
