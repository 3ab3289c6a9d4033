/**
 * Checks that a task that may sleep here is allowed to (kernel/sched/core.c, Linux 6.1): "sleeping function called from
 * invalid context" and "scheduling while atomic".
 * @notrace
 */
import { bootOptions } from '../../machine/boot.ts';
import { type Ptr, struct, word } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { get, set } from '../../machine/plain.ts';
import { textOf } from '../../machine/text.ts';
import { current, get_task_comm, task_struct } from '../include/task_struct.ts';
import { IRQ_HARD_OFF } from '../irqflags.ts';
import { debugLocks } from './lockdep/internals.ts';
import { lockdep_rcu_suspicious } from './lockdep/rcu-report.ts';
import { fileReport } from './lockdep/report.ts';
import { print_irqtrace_events } from './lockdep/report-irq.ts';
import { dump_stack, heldDetails, lockdep_print_held_locks, taskText } from './lockdep/report-text.ts';
import { stackFrames } from './lockdep/stack-trace.ts';

const LOCKDEP = bootOptions().lockdep !== 'off';

/** SYSTEM_RUNNING or SYSTEM_BOOTING, of the whole emulated machine. */
const system_state = struct('system_state', { value: word });
const system = staticStorage('system_state', system_state.SIZE).address as Ptr<'system_state'>;
export const SYSTEM_RUNNING = 0;
export const SYSTEM_BOOTING = 1;

/** While the machine boots, sleeping is not checked: there is nobody else to run. */
export function set_system_state(state: number): void {
  set(system, system_state.value, state);
}

/** Says that the function may sleep. Reports when a spinlock is held, interrupts are off or an RCU read section is open. @inline */
export function might_sleep(): void {
  if (!LOCKDEP) return;
  const curr = current();
  if (
    (get(curr, task_struct.preempt_count) |
      (get(curr, task_struct.irq_state) & IRQ_HARD_OFF) |
      get(curr, task_struct.rcu_read_lock_nesting)) !==
    0
  )
    __might_sleep();
}

/** Where the function that may sleep is: the first frame outside these checks. */
function sleeper(): string {
  const frame = stackFrames()
    .map(textOf)
    .find((text) => !text.includes('/might_sleep.ts:'));
  return frame === undefined ? 'unknown' : frame.slice(frame.indexOf('+') + 1);
}

/** The checks of {@link might_sleep}, when one of them fails. */
export function __might_sleep(): void {
  const curr = current();
  if (!debugLocks() || get(system, system_state.value) === SYSTEM_BOOTING) return;
  const nesting = get(curr, task_struct.rcu_read_lock_nesting);
  if (nesting !== 0) lockdep_rcu_suspicious('Illegal context switch in RCU read-side critical section');
  // Without preemption (CONFIG_PREEMPT_RCU off) a read section counts as one disable.
  const count = get(curr, task_struct.preempt_count) + nesting;
  const irqsOff = get(curr, task_struct.irq_state) & IRQ_HARD_OFF;
  if (count === 0 && irqsOff === 0) return;
  const at = sleeper();
  fileReport('sleeping-in-atomic', 'sleeping function called from invalid context', at, false, () => ({
    lines: [
      `BUG: sleeping function called from invalid context at ${at}`,
      `in_atomic(): ${count !== 0 ? 1 : 0}, irqs_disabled(): ${irqsOff}, non_block: 0, pid: ${get(curr, task_struct.pid)}, name: ${get_task_comm(curr)}`,
      `preempt_count: ${count.toString(16)}, expected: 0`,
      ...lockdep_print_held_locks(curr),
      ...(irqsOff !== 0 ? print_irqtrace_events() : []),
      ...dump_stack(),
    ],
    details: { held: heldDetails(curr), preempt_count: count, irqs_disabled: irqsOff },
  }));
}

/** The task is about to give up its CPU: reports when it must not. */
export function schedule_debug(): void {
  if (!LOCKDEP) return;
  const curr = current();
  const count = get(curr, task_struct.preempt_count);
  if (count === 0 || !debugLocks()) return;
  fileReport('scheduling-while-atomic', 'scheduling while atomic', sleeper(), false, () => ({
    lines: [
      // schedule() itself holds one count more, as in Linux.
      `BUG: scheduling while atomic: ${taskText(curr)}/0x${(count + 1).toString(16).padStart(8, '0')}`,
      ...lockdep_print_held_locks(curr),
      ...dump_stack(),
    ],
    details: { held: heldDetails(curr), preempt_count: count },
  }));
}
