/** One sample of a short operation, by mitata: it unrolls, batches, and keeps what the operation gives back. */
import { measure } from 'mitata';

/**
 * Median nanoseconds of an operation.
 * @param milliseconds  about how long the sample takes
 */
export async function nsOf(operation: () => unknown, milliseconds: number): Promise<number> {
  return (await measure(operation, { min_cpu_time: milliseconds * 1e6, min_samples: 5, gc: false })).p50;
}
