/** Who watches the steps of a schedule: trace hash, partial-order reduction, coverage, race detection. */

export interface Observer {
  /** Before each schedule. */
  begin(tasks: number): void;
  /**
   * A task makes its pending operation now.
   * @param kind  POINT_*
   * @param address  the word or lock that it touches
   */
  executed(task: number, kind: number, address: number): void;
  /** During its step the task gave this object back. */
  freed(task: number, object: number): void;
}

/** Tells several observers in order. */
export function together(observers: readonly Observer[]): Observer | undefined {
  if (observers.length < 2) return observers[0];
  return {
    begin(tasks) {
      for (const o of observers) o.begin(tasks);
    },
    executed(task, kind, address) {
      for (const o of observers) o.executed(task, kind, address);
    },
    freed(task, object) {
      for (const o of observers) o.freed(task, object);
    },
  };
}
