/**
 * The read sections of the other flavours of RCU (include/linux/rcupdate.h, Linux 6.1): soft interrupts off, or no
 * preemption. @notrace
 */
import { rcu_bh_lock_map, rcu_lock_acquire, rcu_lock_release, rcu_sched_lock_map } from './locking/lockdep/rcu-maps.ts';
import { preempt_disable, preempt_enable } from './preempt.ts';
import { local_bh_disable, local_bh_enable } from './softirq.ts';

/** Opens a read section with soft interrupts off. */
export function rcu_read_lock_bh(): void {
  local_bh_disable();
  rcu_lock_acquire(rcu_bh_lock_map);
}

export function rcu_read_unlock_bh(): void {
  rcu_lock_release(rcu_bh_lock_map);
  local_bh_enable();
}

/** Opens a read section without preemption. */
export function rcu_read_lock_sched(): void {
  preempt_disable();
  rcu_lock_acquire(rcu_sched_lock_map);
}

export function rcu_read_unlock_sched(): void {
  rcu_lock_release(rcu_sched_lock_map);
  preempt_enable();
}
