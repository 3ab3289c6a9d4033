/**
 * The slow truth about lock programs of one task: all dependencies with their types, and a search that tries every trail.
 * Written from the rules, not from the validator.
 */

/** A step of a program: take a lock, or give up the n-th hold from the top. */
export type Step = { lock: number; mode: number; trylock: boolean } | { unlock: number };

interface Hold {
  lock: number;
  mode: number;
  trylock: boolean;
}

/** A dependency between two holds: the earlier is exclusive or not, the later recursive or not. */
interface Dependency {
  from: number;
  to: number;
  exclusive: boolean;
  recursive: boolean;
}

export class BruteForce {
  readonly #held: Hold[] = [];
  readonly #graph: Dependency[] = [];

  /** Takes a lock; true when that must be reported. */
  acquire(hold: Hold): boolean {
    const bad = this.#push(hold);
    return bad;
  }

  /** Gives up hold `at` and takes those above it again; true when that must be reported. */
  release(at: number): boolean {
    const above = this.#held.splice(at).slice(1);
    let bad = false;
    for (const hold of above) bad = this.#push(hold) || bad;
    return bad;
  }

  #push(next: Hold): boolean {
    let bad = false;
    if (!next.trylock) {
      bad = this.#held.some((prev) => prev.lock === next.lock && !(next.mode === 2 && prev.mode !== 0));
      if (!bad) {
        for (let i = this.#held.length - 1; i >= 0; i--) {
          const prev = this.#held[i] as Hold;
          const dependency = { from: prev.lock, to: next.lock, exclusive: prev.mode === 0, recursive: next.mode === 2 };
          if (this.#closes(dependency)) bad = true;
          else this.#graph.push(dependency);
          if (!prev.trylock) break;
        }
      }
    }
    this.#held.push(next);
    return bad;
  }

  /** Is there a trail from the end of `last` back to its start on which nobody goes in recursively and out shared? */
  #closes(last: Dependency): boolean {
    const used = new Set<Dependency>();
    const walk = (at: Dependency): boolean => {
      for (const edge of this.#graph) {
        if (used.has(edge) || edge.from !== at.to || (at.recursive && !edge.exclusive)) continue;
        if (edge.to === last.from && !(edge.recursive && !last.exclusive)) return true;
        used.add(edge);
        if (walk(edge)) return true;
        used.delete(edge);
      }
      return false;
    };
    // A dependency of a lock on its own class closes a cycle by itself, if it is strong.
    if (last.from === last.to && !(last.recursive && !last.exclusive)) return true;
    this.#graph.forEach((edge, i) => {
      const same = (other: Dependency): boolean =>
        other.from === edge.from && other.to === edge.to && other.exclusive === edge.exclusive && other.recursive === edge.recursive;
      if (this.#graph.findIndex(same) < i) used.add(edge);
    });
    return walk(last);
  }
}
