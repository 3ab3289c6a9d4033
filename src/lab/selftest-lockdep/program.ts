/**
 * A short notation for calls on locks, in which the suite is written.
 *
 * ```
 * +A  -A           lock and unlock A, in the type of the table's column
 * rlock+A rlock-A  the same in another type
 * spin+Y^spin_X1   locked under the held lock spin_X1
 * ID IE            local_irq_disable, _enable         BD BE   local_bh_disable, _enable
 * HE HT HX         hard interrupt: begin, threaded, end      SE SX   soft interrupt
 * ```
 */
import type { VectorLock, VectorOp } from './vector.ts';

/** A type of lock: kind, prefix of its names, mode in which it is taken. */
interface LockType {
  kind: string;
  prefix: string;
  read: number;
  inner: number;
}

export const TYPES: Record<string, LockType> = {
  spin: { kind: 'spin', prefix: 'spin', read: 0, inner: 3 },
  wlock: { kind: 'rwlock', prefix: 'rw', read: 0, inner: 3 },
  rlock: { kind: 'rwlock', prefix: 'rw', read: 2, inner: 3 },
  /** A read that waits behind a waiting writer. */
  qlock: { kind: 'rwlock', prefix: 'rw', read: 1, inner: 3 },
  mutex: { kind: 'mutex', prefix: 'mutex', read: 0, inner: 4 },
  wsem: { kind: 'rwsem', prefix: 'rwsem', read: 0, inner: 4 },
  rsem: { kind: 'rwsem', prefix: 'rwsem', read: 1, inner: 4 },
  rtmutex: { kind: 'rtmutex', prefix: 'rt', read: 0, inner: 4 },
  raw: { kind: 'raw_spin', prefix: 'raw', read: 0, inner: 2 },
  local: { kind: 'local_lock', prefix: 'local', read: 0, inner: 3 },
};

const RCU: Record<string, number> = { rcu: 3, rcu_bh: 3, rcu_sched: 2 };

const PLAIN: Record<string, string> = {
  ID: 'irq_disable',
  IE: 'irq_enable',
  BD: 'bh_disable',
  BE: 'bh_enable',
  HE: 'hardirq_enter',
  HT: 'hardirq_threaded',
  HX: 'hardirq_exit',
  SE: 'softirq_enter',
  SX: 'softirq_exit',
};

export interface Program {
  locks: Record<string, VectorLock>;
  ops: VectorOp[];
}

/** The class of a lock: X1 and X2 are of one, so are Y1 and Y2. */
function classOfName(name: string): string {
  return name.replace(/\d$/, '');
}

/** One call on a lock. */
function lockOp(out: Program, token: string, column: string): void {
  const parts = /^([a-z_]*)([+-])([A-Z]\d?)?(?:\^(\w+))?$/.exec(token);
  if (parts === null) throw new Error(`not a call: ${token}`);
  const [, type = '', sign, letter = '', nest] = parts;
  const rcu = RCU[type];
  if (rcu !== undefined) {
    out.locks[type] = { class: type, kind: type, wait_outer: 1, wait_inner: rcu };
    out.ops.push(
      sign === '+'
        ? { op: 'lock', lock: type, class: type, kind: type, read: 2 }
        : { op: 'unlock', lock: type, class: type, kind: type, shared: true },
    );
    return;
  }
  const { kind, prefix, read, inner } = TYPES[type || column] as LockType;
  const lock = `${prefix}_${letter}`;
  const name = classOfName(lock);
  out.locks[lock] = { class: name, kind, wait_outer: 0, wait_inner: inner, ...(kind === 'local_lock' ? { per_cpu: true } : {}) };
  if (sign === '+') out.ops.push({ op: 'lock', lock, class: name, kind, read, ...(nest === undefined ? {} : { nest }) });
  else out.ops.push({ op: 'unlock', lock, class: name, kind, ...(read !== 0 ? { shared: true } : {}) });
}

/** Calls in the notation above, for a column of the table. */
export function program(text: string, column: string): Program {
  const out: Program = { locks: {}, ops: [] };
  for (const token of text.trim().split(/\s+/)) {
    const plain = PLAIN[token];
    if (plain !== undefined) out.ops.push({ op: plain });
    else lockOp(out, token, column);
  }
  return out;
}
