/**
 * How classes and their usage are named in reports, and the numbers of the usage bits.
 * @notrace
 */
import { get } from '../../../machine/plain.ts';
import { textOf } from '../../../machine/text.ts';
import { lock_class, lockClass } from './internals.ts';

/** Bit numbers: + 1 for read, + 2 for "on" instead of "in", + 4 for soft instead of hard interrupts. */
export const LOCK_USED_IN_HARDIRQ = 0;
export const LOCK_ENABLED_HARDIRQ = 2;
export const LOCK_USED_IN_SOFTIRQ = 4;
export const LOCK_ENABLED_SOFTIRQ = 6;
export const LOCK_USED = 8;
export const LOCK_USED_READ = 9;
export const READ = 1;
export const DIRECTION = 2;

/** A class's name as reports print it: `&mm->mmap_lock`, `sb_writers#3`, `&anon_vma->rwsem/1`. */
export function className(idx: number): string {
  const c = lockClass(idx);
  const version = get(c, lock_class.name_version);
  const subclass = get(c, lock_class.subclass);
  return `${textOf(get(c, lock_class.name))}${version > 1 ? `#${version}` : ''}${subclass > 0 ? `/${subclass}` : ''}`;
}

/** Letters of a class's usage: hard write, hard read, soft write, soft read. */
export function usageLetters(idx: number): string {
  const usage = get(lockClass(idx), lock_class.usage_mask);
  let out = '';
  for (const bit of [0, 1, 4, 5]) {
    const inIrq = (usage & (1 << bit)) !== 0;
    const on = (usage & (1 << (bit + DIRECTION))) !== 0;
    out += inIrq ? (on ? '?' : '-') : on ? '+' : '.';
  }
  return out;
}

/** A bit as reports name it: `IN-HARDIRQ-W`, `SOFTIRQ-ON-R`, `INITIAL USE`. */
export function usageName(bit: number): string {
  if (bit >= LOCK_USED) return bit === LOCK_USED ? 'INITIAL USE' : 'INITIAL READ USE';
  const irq = irqName(bit & ~READ);
  return `${(bit & DIRECTION) === 0 ? `IN-${irq}` : `${irq}-ON`}-${(bit & READ) === 0 ? 'W' : 'R'}`;
}

/** The interrupt of a bit: `HARDIRQ`, `SOFTIRQ-READ`. */
export function irqName(bit: number): string {
  return `${bit < LOCK_USED_IN_SOFTIRQ ? 'HARDIRQ' : 'SOFTIRQ'}${(bit & READ) === 0 ? '' : '-READ'}`;
}
