/** `stress --watch`: KSM's counters while the processes run; in place on a terminal, else a line a second. */
import type { KsmNow } from '../lab/stress/orders.ts';
import { type Output, table, thousands } from './output.ts';

/** In the order of /sys/kernel/mm/ksm; the first four add up to rmap_items. */
const SHOWN = [
  'pages_shared',
  'pages_sharing',
  'pages_unshared',
  'pages_volatile',
  'rmap_items',
  'stable_node_chains',
  'stable_node_dups',
  'full_scans',
  'run',
] as const satisfies readonly (keyof KsmNow)[];

/** Shows the counters of one run. */
export class Watch {
  readonly #out: Output;
  /** Second of the next line. */
  #next = 0;

  constructor(out: Output) {
    this.#out = out;
  }

  /** @param progress  the line on the run itself */
  show(ksm: KsmNow, seconds: number, progress: string): void {
    const rows = SHOWN.map((name) => [name, thousands(ksm[name])]);
    if (
      this.#out.block([
        progress,
        ...table([['', ''], ...rows])
          .split('\n')
          .slice(1),
      ])
    )
      return;
    if (seconds < this.#next) return;
    this.#next = Math.floor(seconds) + 1;
    this.#out.say(`${Math.floor(seconds)} s  ${SHOWN.map((name) => `${name} ${ksm[name]}`).join('  ')}`);
  }
}
