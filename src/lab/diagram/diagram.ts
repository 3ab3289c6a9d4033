/**
 * The picture that kernel developers draw in mails: one column per task, time downward, one blank per call depth.
 *
 * Made from what the flight recorder kept. Calls in which nothing happened that matters are left out, repeated blocks
 * are told once, and if it is still too long the lesser events go.
 */

/** Something that a task did: a call with what happened in it, or an event. */
export type Step = Call | Happening;

export interface Call {
  name: string;
  clock: number;
  steps: Step[];
}

export interface Happening {
  text: string;
  clock: number;
  weight: 1 | 2 | 3;
  /** A remark over the whole width, between rulers, in place of a line in the column. */
  remark?: boolean;
}

/** A column. */
export interface Column {
  steps: Step[];
}

interface Placed {
  column: number;
  depth: number;
  clock: number;
  text: string;
  remark: boolean;
}

const MOST_LINES = 60;
const RULER = '='.repeat(71);
/** Tabs from one column to the next. */
const TABS = 5;

function isCall(step: Step): step is Call {
  return 'steps' in step;
}

/** Without what weighs less than `least`, and without calls that are then empty. */
function prune(steps: readonly Step[], least: number): Step[] {
  const out: Step[] = [];
  for (const step of steps) {
    if (!isCall(step)) {
      if (step.weight >= least) out.push(step);
      continue;
    }
    const inner = prune(step.steps, least);
    // A call stands where the first thing happens in it: it may have begun long before.
    if (inner.length > 0) out.push({ ...step, clock: (inner[0] as Step).clock, steps: inner });
  }
  return out;
}

function place(steps: readonly Step[], column: number, depth: number, out: Placed[]): void {
  for (const step of steps) {
    if (isCall(step)) {
      out.push({ column, depth, clock: step.clock, text: `${step.name}()`, remark: false });
      place(step.steps, column, depth + 1, out);
    } else out.push({ column, depth, clock: step.clock, text: step.text, remark: step.remark === true });
  }
}

/** The same thing in the same place. */
function alike(a: Placed | undefined, b: Placed | undefined): boolean {
  return a !== undefined && b !== undefined && a.column === b.column && a.depth === b.depth && a.text === b.text && !a.remark && !b.remark;
}

/** Blocks of up to `longest` lines that come again and again are told once, with a line that says how often. */
function foldLoops(lines: readonly Placed[], longest = 12): Placed[] {
  const out: Placed[] = [];
  for (let i = 0; i < lines.length; ) {
    let folded = 0;
    for (let size = 1; size <= longest && folded === 0; size++) {
      let times = 1;
      while (
        lines.slice(i, i + size).every((line, k) => alike(line, lines[i + times * size + k])) &&
        i + times * size + size <= lines.length
      )
        times++;
      if (times < 3) continue;
      const block = lines.slice(i, i + size);
      const depth = Math.min(...block.map((line) => line.depth));
      const { column, clock } = block.at(-1) as Placed;
      out.push(...block, { column, depth, clock, text: `... (${times} times)`, remark: false });
      folded = times * size;
    }
    if (folded === 0) out.push(lines[i] as Placed);
    i += Math.max(1, folded);
  }
  return out;
}

/** All columns in one order: by clock, a task's own steps as they were. */
function merge(columns: readonly Placed[][]): Placed[] {
  const next = columns.map(() => 0);
  const out: Placed[] = [];
  for (;;) {
    let first = -1;
    for (const [i, lines] of columns.entries()) {
      const line = lines[next[i] as number];
      const best = first < 0 ? undefined : columns[first]?.[next[first] as number];
      if (line !== undefined && (best === undefined || line.clock < best.clock)) first = i;
    }
    if (first < 0) return out;
    out.push(columns[first]?.[next[first] as number] as Placed);
    next[first] = (next[first] as number) + 1;
  }
}

/** How many lines the text will have. */
function height(lines: readonly Placed[]): number {
  return lines.reduce((sum, line) => sum + (line.remark ? line.text.split('\n').length + 4 : 1), 1);
}

/** The text, without a line break at its end. */
export function drawDiagram(columns: readonly Column[]): string {
  let lines: Placed[] = [];
  for (const least of [2, 3]) {
    const placed = columns.map(({ steps }, i) => {
      const out: Placed[] = [];
      place(prune(steps, least), i, 0, out);
      return foldLoops(out);
    });
    lines = merge(placed);
    if (height(lines) <= MOST_LINES) break;
  }
  const out = [columns.map((_, i) => `task ${i + 1}`).join('\t'.repeat(TABS))];
  for (const line of shorten(lines)) {
    if (line.remark) out.push('', RULER, line.text, RULER, '');
    else out.push(`${'\t'.repeat(TABS * line.column)}${' '.repeat(line.depth)}${line.text}`);
  }
  return out.join('\n').replaceAll('\n\n\n', '\n\n').replace(/\n+$/, '');
}

/** When even the weightiest are too many: the beginning and the end stay, because the end is where it happens. */
function shorten(lines: readonly Placed[]): readonly Placed[] {
  if (height(lines) <= MOST_LINES) return lines;
  const kept = [...lines];
  const from = 12;
  let dropped = 0;
  while (height(kept) >= MOST_LINES && kept.length > from + 1) {
    kept.splice(from, 1);
    dropped++;
  }
  kept.splice(from, 0, { column: 0, depth: 0, clock: 0, text: `... (${dropped} lines)`, remark: false });
  return kept;
}
