/**
 * `selftest maple`: the maple tree's answers against those of the real one.
 *
 * A case is one file. It passes when every operation answers as recorded and the tree stays valid.
 */
import { quickSet } from './quick-set.ts';
import { replayVectors } from './replay.ts';
import { readVectors } from './vector-file.ts';

export { BadVectorFile } from './vector-file.ts';

/** What a self test found. */
export interface SelftestResult {
  passed: number;
  failed: number;
  /** What to print: one line per difference (the first 20 of a file), naming file, line, operation, expected and got. */
  failures: string[];
}

/**
 * Replays vector files.
 * @param files  names of .jsonl or .jsonl.gz files; undefined: the built-in quick set
 * @throws BadVectorFile with one sentence for the user (exit code 1)
 */
export function runMapleSelftest(files: string[] | undefined): SelftestResult {
  const result: SelftestResult = { passed: 0, failed: 0, failures: [] };
  for (const file of files === undefined ? quickSet() : files.map(readVectors)) {
    const { differences, failures } = replayVectors(file);
    if (differences === 0) result.passed++;
    else {
      result.failed++;
      result.failures.push(...failures);
      if (differences > failures.length) result.failures.push(`${file.name}: ${differences - failures.length} more differences`);
    }
  }
  return result;
}
