/** Errors as data: they lose their class on the way between threads. */
import { ArenaExhausted, RunStopped, VariantError } from '../../machine/errors.ts';
import type { Failure } from './orders.ts';

/** The error of a task as data; nothing when it was only told to stop. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof RunStopped) return undefined;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ArenaExhausted || error instanceof VariantError) return { blame: 'usage', message };
  return {
    blame: 'failed',
    message: error instanceof Error && error.name === 'EmulatorBug' ? message : ((error as Error).stack ?? message),
  };
}
