/** Who plays what in a world: task areas, roles and names. */
import type { TaskOrder, WorldOrder } from './orders.ts';

export type Role = Pick<TaskOrder, 'index' | 'role' | 'comm'>;

type Cast = Pick<WorldOrder, 'shape' | 'workers' | 'play'>;

/** The tasks of one world. Area 0 is the conductor's, except where a scenario has its own numbers. */
export function rolesOf(order: Cast): Role[] {
  if (order.play !== undefined) return order.play.tasks.map((comm, index): Role => ({ index, role: 'task', comm }));
  if (order.shape === 'paired') {
    return [
      { index: 1, role: 'process', comm: 'process' },
      { index: 2, role: 'scanner', comm: 'scanner' },
    ];
  }
  const forkers = Array.from({ length: order.workers }, (_, i): Role => ({ index: i + 1, role: 'process', comm: `forker-${i + 1}` }));
  return [
    ...forkers,
    { index: order.workers + 1, role: 'ksmd', comm: 'ksmd' },
    { index: order.workers + 2, role: 'toggler', comm: 'toggler' },
  ];
}

/** Index and name of each task. */
export function taskNames(order: Cast): [number, string][] {
  return rolesOf(order).map(({ index, comm }) => [index, comm]);
}
