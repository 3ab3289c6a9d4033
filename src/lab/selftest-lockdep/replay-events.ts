/** Replays a vector by its `events`, straight into the validator. */

import { selftestClass } from '../../kernel/lib/locking-selftest-locks.ts';
import { debug_locks_warn, lockdep_assert_held } from '../../kernel/locking/lockdep/asserts.ts';
import {
  lockdep_hardirq_enter,
  lockdep_hardirq_exit,
  lockdep_hardirq_threaded,
  lockdep_hardirqs_off,
  lockdep_hardirqs_on,
  lockdep_softirq_enter,
  lockdep_softirq_exit,
  lockdep_softirqs_off,
  lockdep_softirqs_on,
} from '../../kernel/locking/lockdep/irqtrace.ts';
import { lock_acquire, lock_release, lockdep_init_map } from '../../kernel/locking/lockdep/lockdep.ts';
import { LD_LOCK_NORMAL, LD_LOCK_PERCPU, lock_class_key, lockdep_map } from '../../kernel/locking/lockdep/types.ts';
import { OBJ_LOCK } from '../../kernel/trace/vocabulary.ts';
import { EmulatorBug } from '../../machine/errors.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { sbrk } from '../../machine/memory.ts';
import type { Vector, VectorEvent } from './vector.ts';

/** The maps of a vector's locks, with keys of their own: its classes are new, whatever the graph knows. */
class Maps {
  readonly #maps = new Map<string, Ptr<'lockdep_map'>>();
  readonly #keys = new Map<string, Ptr<'lock_class_key'>>();
  readonly #vector: Vector;

  constructor(vector: Vector) {
    this.#vector = vector;
  }

  key(className: string): Ptr<'lock_class_key'> {
    let key = this.#keys.get(className);
    if (key === undefined) {
      key = sbrk(lock_class_key.SIZE, 8, 'a class key') as Ptr<'lock_class_key'>;
      this.#keys.set(className, key);
    }
    return key;
  }

  init(name: string, className: string): void {
    const map = this.#maps.get(name) ?? (sbrk(lockdep_map.SIZE, 8, 'a lock map') as Ptr<'lockdep_map'>);
    this.#maps.set(name, map);
    const lock = this.#vector.locks[name] ?? { wait_inner: 0, wait_outer: 0, per_cpu: false };
    const type = lock.per_cpu === true ? LD_LOCK_PERCPU : LD_LOCK_NORMAL;
    lockdep_init_map(map, className, this.key(className), 0, lock.wait_inner, lock.wait_outer, OBJ_LOCK, type);
  }

  map(name: string): Ptr<'lockdep_map'> {
    if (!this.#maps.has(name)) this.init(name, selftestClass(this.#vector, name));
    return this.#maps.get(name) as Ptr<'lockdep_map'>;
  }

  /** Name of the lock whose map is at an address. */
  nameOf(address: number): string | undefined {
    for (const [name, map] of this.#maps) if (map === address) return name;
    return undefined;
  }
}

function replayEvent(maps: Maps, event: VectorEvent): void {
  const lock = event.lock ?? '';
  switch (event.ev) {
    case 'acquire': {
      const nest = event.nest ? maps.map(event.nest) : NULL;
      lock_acquire(maps.map(lock), event.sub ?? 0, event.try ?? 0, event.read ?? 0, event.check ?? 1, nest);
      return;
    }
    case 'release':
      lock_release(maps.map(lock));
      return;
    case 'init_map':
      maps.init(lock, event.class ?? lock);
      return;
    case 'assert_held':
      lockdep_assert_held(maps.map(lock));
      return;
    case 'hardirqs_off':
      lockdep_hardirqs_off();
      return;
    case 'hardirqs_on':
      lockdep_hardirqs_on();
      return;
    case 'softirqs_off':
      lockdep_softirqs_off();
      return;
    case 'softirqs_on':
      lockdep_softirqs_on();
      return;
    case 'hardirq_enter':
      lockdep_hardirq_enter();
      return;
    case 'hardirq_threaded':
      lockdep_hardirq_threaded();
      return;
    case 'hardirq_exit':
      lockdep_hardirq_exit();
      return;
    case 'softirq_enter':
      lockdep_softirq_enter();
      return;
    case 'softirq_exit':
      lockdep_softirq_exit();
      return;
    case 'debug_warn':
      debug_locks_warn(event.why ?? '');
      return;
    default:
      throw new EmulatorBug(`unknown event ${event.ev}`);
  }
}

/**
 * Replays all events of a vector.
 * @param after  called after each event, with its index
 * @returns names of locks by the address of their map, for reading reports
 */
export function replayEvents(vector: Vector, after: (index: number) => void): (address: number) => string | undefined {
  const maps = new Maps(vector);
  for (let i = 0; i < vector.events.length; i++) {
    replayEvent(maps, vector.events[i] as VectorEvent);
    after(i);
  }
  return (address) => maps.nameOf(address);
}
