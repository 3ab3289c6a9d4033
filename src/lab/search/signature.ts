/** The name of a finding in result directories: the same as the one that a stress run gives it. */
import { signatureId as idOf } from '../stress/findings.ts';
import type { FindingInfo } from './findings.ts';

/** e.g. `suspicious-rcu-usage-1f0c93aa`. */
export function signatureId({ kind, signature }: Pick<FindingInfo, 'kind' | 'signature'>): string {
  return idOf(kind, signature.slice(kind.length + 2));
}
