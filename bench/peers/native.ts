/** Native peers: C programs, compiled when the bench runs and a C compiler is there. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A compiled program. */
export interface NativeProgram {
  /** Runs it with arguments; gives the numbers that it printed. */
  run: (...args: (string | number)[]) => Promise<number[]>;
  /** Deletes it. */
  dispose: () => void;
}

/** Longest that a native measurement may take. */
const TIMEOUT_MS = 60_000;

/**
 * Compiles `bench/peers/NAME.c` with `cc -O2`.
 * @returns undefined when there is no compiler or it refuses; `say` is told why
 */
export function compileNative(name: string, say: (text: string) => void): NativeProgram | undefined {
  // The module runs from dist/bench/peers/, the source stays in bench/peers/.
  const source = fileURLToPath(new URL(`../../../bench/peers/${name}.c`, import.meta.url));
  const directory = mkdtempSync(join(tmpdir(), 'ksmrace-bench-'));
  const program = join(directory, name);
  const dispose = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    execFileSync(process.env.CC ?? 'cc', ['-O2', '-pthread', '-o', program, source], { stdio: 'pipe' });
  } catch (error) {
    dispose();
    say(`  without native peers: ${(error as Error).message.split('\n', 1)[0]}`);
    return undefined;
  }
  return {
    run: async (...args) => {
      const { stdout } = await run(program, args.map(String), { timeout: TIMEOUT_MS });
      return stdout.trim().split(/\s+/).map(Number);
    },
    dispose,
  };
}
