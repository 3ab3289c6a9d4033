/** Who plays what in a world: task areas, roles and names. */
import type { TaskOrder, WorldOrder } from './orders.ts';

export type Role = Pick<TaskOrder, 'index' | 'role' | 'comm'>;

/** The tasks of one world. */
export function rolesOf(order: Pick<WorldOrder, 'shape' | 'workers'>): Role[] {
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
export function taskNames(order: Pick<WorldOrder, 'shape' | 'workers'>): [number, string][] {
  return rolesOf(order).map(({ index, comm }) => [index, comm]);
}
