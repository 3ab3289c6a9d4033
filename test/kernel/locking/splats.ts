/** Real reports of Linux 6.1 and ours, brought into one form: without addresses, numbers, registers, frames. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** The recorded reports by name, times taken off. */
export function recordedSplats(): Map<string, string[]> {
  const text = gunzipSync(readFileSync(new URL('../../fixtures/lockdep/splats.jsonl.gz', import.meta.url))).toString('utf8');
  return new Map(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; lines: string[] })
      .map(({ name, lines }) => [name, lines]),
  );
}

/** A frame: `mas_walk+0x180/0x1f0`, or ours with a place in the source. */
const FRAME = /^\s*[\w.]+\+(0x[0-9a-f]+\/0x[0-9a-f]+|src\/kernel\S+)$/;
/** Lines that only machine code has: registers, guessed frames, and the tags around contexts. */
const MACHINE = /^(RIP|Code|RSP|RAX|RDX|RBP|R\d\d|FS|CS|CR2)\b|^\s*\? |^ <\/?(TASK|IRQ)>$/;

function normalLine(line: string): string {
  return line
    .trimEnd()
    .replace(/\[<[0-9a-f]{16}>\] /g, '')
    .replace(/\b[0-9a-f]{16}\b/g, 'ADDRESS')
    .replace(/^6\.1\.\S+( #\d+)? (Not tainted|Tainted: .*)$/, 'RELEASE')
    .replace(/(Comm: \S+) (Not tainted|Tainted: .*?) 6\.1.*$/, '$1 RELEASE')
    .replace(/CPU: \d+ /, 'CPU: N ')
    .replace(/(\w+)\+(0x[0-9a-f]+\/0x[0-9a-f]+|src\/kernel\S*|test\S*)/g, '$1')
    .replace(/^irq event stamp: \d+$/, 'irq event stamp: N')
    .replace(/^(\w+irqs last {1,2}(enabled|disabled)) at \(\d+\): .*$/, '$1 at (N): FUNCTION')
    .replace(/^(BUG: sleeping .* at) \S+$/, '$1 PLACE')
    .replace(/^\S+:\d+ (suspicious|Illegal)/, 'PLACE $1')
    .replace(/^(WARNING: CPU: N PID: \d+ at) \S+ \w+$/, '$1 PLACE FUNCTION');
}

/** A report in the common form: runs of frames become one line. */
export function normalised(lines: readonly string[]): string[] {
  const out: string[] = [];
  for (const line of lines) {
    if (MACHINE.test(line)) continue;
    const normal = FRAME.test(line) ? 'FRAMES' : normalLine(line);
    if (normal !== 'FRAMES' || out.at(-1) !== 'FRAMES') out.push(normal);
  }
  return out;
}
