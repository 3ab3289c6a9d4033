/** The lock validator's /proc files of a search thread. The graph is rewound with the memory, so they are of its last schedule. */
import { procFiles } from '../proc-lockdep.ts';
import { type Subject, sessionFor } from './session.ts';

/** The files by name. */
export async function procFilesOf(subject: Subject): Promise<Record<string, string>> {
  // A thread that had no schedule yet has no scenario either.
  await sessionFor(subject);
  return procFiles();
}
