/**
 * The validator's maps of RCU read sections (kernel/rcu/update.c, Linux 6.1). They stand on the held stack, for wait
 * contexts and for reports, but are no part of the dependency graph.
 * @notrace
 */
import { NULL, type Ptr } from '../../../machine/layout.ts';
import { staticStorage } from '../../../machine/memory.ts';
import { OBJ_LOCK } from '../../trace/vocabulary.ts';
import { lock_acquire, lock_release, lockdep_init_map } from './lockdep.ts';
import { LD_WAIT_CONFIG, LD_WAIT_FREE, LD_WAIT_SPIN, lockdep_map, rememberStaticMap, staticKey } from './types.ts';

function rcuMap(name: string, inner: number): Ptr<'lockdep_map'> {
  const { address, fresh } = staticStorage(`map:${name}`, lockdep_map.SIZE);
  const map = address as Ptr<'lockdep_map'>;
  if (fresh) lockdep_init_map(map, name, staticKey(name), 0, inner, LD_WAIT_FREE, OBJ_LOCK);
  rememberStaticMap(map);
  return map;
}

export const rcu_lock_map: Ptr<'lockdep_map'> = rcuMap('rcu_read_lock', LD_WAIT_CONFIG);
export const rcu_bh_lock_map: Ptr<'lockdep_map'> = rcuMap('rcu_read_lock_bh', LD_WAIT_CONFIG);
export const rcu_sched_lock_map: Ptr<'lockdep_map'> = rcuMap('rcu_read_lock_sched', LD_WAIT_SPIN);

/** A read section opens. @inline */
export function rcu_lock_acquire(map: Ptr<'lockdep_map'>): void {
  lock_acquire(map, 0, 0, 2, 0, NULL);
}

/** It closes. @inline */
export function rcu_lock_release(map: Ptr<'lockdep_map'>): void {
  lock_release(map);
}
