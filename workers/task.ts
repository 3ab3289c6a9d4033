/** Entry of a task thread: the machine's options first, then the machine. See src/lab/stress/task.ts. */
import type { Failure, TaskOrder } from '../src/lab/stress/orders.ts';
import { configureBoot } from '../src/machine/boot.ts';

export default async function playTask(order: TaskOrder): Promise<Failure | undefined> {
  configureBoot(order.boot);
  const { runTask } = await import('../src/lab/stress/task.ts');
  return runTask(order);
}
