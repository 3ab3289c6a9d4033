/**
 * What a schedule covered, as numbers:
 * - hand-offs: for each word or lock, which task and function touched it after which other task's, where the order matters;
 * - chains: the validator's keys of the lists of held locks that tasks had;
 * - the trace, by its hash.
 */
import { task_struct, taskOf } from '../../kernel/include/task_struct.ts';
import { get } from '../../machine/door.ts';
import { currentFunction } from '../../machine/shadow-stack.ts';
import { AddressTable } from './address-table.ts';
import { reads } from './dependence.ts';
import { TraceHash } from './trace-hash.ts';

const MOST = 1 << 15;

function mix(a: number, b: number): number {
  let x = Math.imul(a ^ (b + 0x9e3779b9), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}

export class Coverage extends TraceHash {
  /** What the schedule covered so far. The trace is not among it. */
  readonly features = new Set<number>();
  private readonly places = new AddressTable();
  /** Per address: who touched it last (task and function), and whether that was a read. */
  private readonly last = new Int32Array(MOST);
  private readonly lastRead = new Uint8Array(MOST);

  override begin(tasks: number): void {
    super.begin(tasks);
    this.features.clear();
    this.places.clear();
  }

  override executed(task: number, kind: number, address: number): void {
    super.executed(task, kind, address);
    const known = this.places.count;
    const at = this.places.number(address);
    const who = (task << 20) | (currentFunction() & 0xfffff);
    const read = reads(kind);
    if (at !== known) {
      const before = this.last[at] as number;
      if (before >> 20 !== task && !(read && this.lastRead[at] === 1)) this.features.add(mix(mix(before, who), address));
    }
    this.last[at] = who;
    this.lastRead[at] = read ? 1 : 0;
    const chain = get(taskOf(task), task_struct.chain_key_lo);
    if (chain !== 0) this.features.add(mix(chain, 0x5bd1e995));
  }
}
