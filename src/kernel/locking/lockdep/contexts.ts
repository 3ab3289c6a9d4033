/**
 * What an interrupt state means for an acquire, as tables that the warm path reads.
 * @notrace
 */
import { IRQ_HARD_OFF, IRQ_IN_HARD, IRQ_IN_SOFT, IRQ_SOFT_OFF, IRQ_STATES, IRQ_THREADED } from '../../irqflags.ts';
import { LOCK_ENABLED_HARDIRQ, LOCK_ENABLED_SOFTIRQ, LOCK_USED, LOCK_USED_IN_HARDIRQ, LOCK_USED_IN_SOFTIRQ } from './names.ts';
import { LD_WAIT_CONFIG, LD_WAIT_MAX, LD_WAIT_SPIN } from './types.ts';

/** Bits that an acquire sets, by interrupt state, + IRQ_STATES for trylock, + 2 * IRQ_STATES for read. */
export const USAGE_OF_ACQUIRE = new Int32Array(4 * IRQ_STATES);
/** Inner wait type of the context, by interrupt state. */
export const WAIT_OF_CONTEXT = new Int32Array(IRQ_STATES);
for (let state = 0; state < IRQ_STATES; state++) {
  for (let how = 0; how < 4; how++) {
    const read = how >> 1;
    let bits = 1 << (LOCK_USED + read);
    if ((how & 1) === 0 && (state & IRQ_IN_HARD) !== 0) bits |= 1 << (LOCK_USED_IN_HARDIRQ + read);
    if ((how & 1) === 0 && (state & IRQ_IN_SOFT) !== 0) bits |= 1 << (LOCK_USED_IN_SOFTIRQ + read);
    if ((state & IRQ_HARD_OFF) === 0) bits |= 1 << (LOCK_ENABLED_HARDIRQ + read);
    if ((state & (IRQ_HARD_OFF | IRQ_SOFT_OFF)) === 0) bits |= 1 << (LOCK_ENABLED_SOFTIRQ + read);
    USAGE_OF_ACQUIRE[state + how * IRQ_STATES] = bits;
  }
  WAIT_OF_CONTEXT[state] =
    (state & IRQ_IN_HARD) !== 0
      ? (state & IRQ_THREADED) !== 0
        ? LD_WAIT_CONFIG
        : LD_WAIT_SPIN
      : (state & IRQ_IN_SOFT) !== 0
        ? LD_WAIT_CONFIG
        : LD_WAIT_MAX;
}
