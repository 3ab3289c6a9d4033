/**
 * Stack traces of the validator: real JavaScript stacks, kept as lists of places in the source, each distinct list once.
 *
 * Only functions with kernel names (snake_case, under src/kernel/) count as frames; what is ours stays out. A place is
 * written as `mas_walk+src/kernel/lib/maple_tree.ts:860`: where Linux prints an offset into machine code, the line.
 * @notrace
 */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bootOptions } from '../../../machine/boot.ts';
import { i32 as arenaWords } from '../../../machine/memory.ts';
import { functionInfo, isTraced } from '../../../machine/shadow-stack.ts';
import { textNumber, textOf } from '../../../machine/text.ts';
import {
  bump,
  counted,
  MAX_STACK_TRACE_ENTRIES,
  NR_TRACE_HASH_CHAINS,
  NR_TRACE_WORDS,
  NR_TRACES,
  STACK_TRACE_HASH,
  STACK_TRACE_HASH_SIZE,
  STACK_TRACES,
} from './internals.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** Frames looked at, ours included. */
const CAPTURED = 48;
const VARIANT = bootOptions().variantModule;

/** A frame: number of its text `function+file:line`. 0: not a kernel function. Known by raw position. */
const frames = new Map<string, number>();
/** Those of the validator itself. */
const validatorFrames = new Set<number>();

/** Names of functions that exist in Linux: no capitals, except that a whole name may be (READ_ONCE). */
const KERNEL_NAME = /^(_*[a-z][a-z0-9_]*|[A-Z][A-Z0-9_]+)$/;
/** Macros in Linux: never a frame there. */
const MACRO = /^rcu_(dereference|access_pointer|assign_pointer)/;
const KERNEL_FILE = /\/(?:src|stepped)\/(?:.*\/)?(kernel\/.+)\.(?:js|ts)$/;

/** The frames of the stack as raw call sites. */
function callSites(): NodeJS.CallSite[] {
  const limit = Error.stackTraceLimit;
  const prepare = Error.prepareStackTrace;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = CAPTURED;
    Error.prepareStackTrace = (_error, sites) => sites;
    Error.captureStackTrace(holder, callSites);
    return holder.stack as NodeJS.CallSite[];
  } finally {
    Error.prepareStackTrace = prepare;
    Error.stackTraceLimit = limit;
  }
}

const maps = new Map<string, SourceMap | null>();

/** The source map that lies beside a compiled file; null without one. */
function mapOf(url: string): SourceMap | null {
  let map = maps.get(url);
  if (map === undefined) {
    try {
      map = new SourceMap(JSON.parse(readFileSync(`${url.startsWith('file:') ? fileURLToPath(url) : url}.map`, 'utf8')));
    } catch {
      map = null;
    }
    maps.set(url, map);
  }
  return map;
}

/** Source line of a call site. */
function sourceLine(url: string, site: NodeJS.CallSite): number {
  const line = site.getLineNumber() ?? 0;
  if (url.endsWith('.js')) {
    const entry = mapOf(url)?.findEntry(line - 1, (site.getColumnNumber() ?? 1) - 1) as { originalLine?: number } | undefined;
    return (entry?.originalLine ?? line - 1) + 1;
  }
  // TypeScript that a test runner compiled in memory: the runner's own formatter knows the positions.
  const text: unknown = Error.prepareStackTrace?.(new Error(), [site]);
  const mapped = typeof text === 'string' ? /:(\d+):\d+\)?$/.exec(text) : null;
  return mapped ? Number(mapped[1]) : line;
}

/** The text of a kernel function's frame, as a number; 0 when the call site is in none, or in one that Linux inlines. */
function textOfFrame(site: NodeJS.CallSite, url: string): number {
  const name = site.getFunctionName() ?? '';
  const source = KERNEL_FILE.exec(url);
  if (!KERNEL_NAME.test(name) || MACRO.test(name) || (source === null && url !== VARIANT)) return 0;
  const file = source === null ? (url.split('/').at(-1) as string) : `src/${source[1]}.ts`;
  if (isTraced(name, file) === false) return 0;
  return textNumber(`${name}+${file}:${sourceLine(url, site)}`);
}

/** Number of a call site's frame text, 0 when it does not count. */
function frameOf(site: NodeJS.CallSite): number {
  const url = site.getFileName() ?? '';
  const raw = `${url}:${site.getLineNumber()}:${site.getColumnNumber()}`;
  let frame = frames.get(raw);
  if (frame === undefined) {
    frame = textOfFrame(site, url);
    if (url.includes('/locking/lockdep/')) validatorFrames.add(frame);
    frames.set(raw, frame);
  }
  return frame;
}

/** The kernel functions on the current stack, innermost first, as frame numbers. */
export function stackFrames(): number[] {
  const out: number[] = [];
  for (const site of callSites()) {
    const frame = frameOf(site);
    if (frame !== 0) out.push(frame);
  }
  return out;
}

/** As {@link stackFrames}, from the function on through which the validator was entered. */
function callerFrames(): number[] {
  const found = stackFrames();
  return found.slice(
    Math.max(
      0,
      found.findLastIndex((frame) => validatorFrames.has(frame)),
    ),
  );
}

/**
 * Keeps the current stack. Must hold the graph lock.
 * @returns its number, for {@link traceLines}; 0 when the table is full or there are no frames
 */
export function save_trace(): number {
  const found = callerFrames();
  if (found.length === 0) return 0;
  let hash = 0;
  for (const frame of found) hash = Math.imul(hash ^ frame, 0x9e3779b1) ^ (hash >>> 15);
  const bucket = (STACK_TRACE_HASH >> 2) + ((hash >>> 0) % STACK_TRACE_HASH_SIZE);
  // A trace is: next in the bucket, frames, then that many frame numbers. Numbers are word indices plus one.
  for (let at = i32[bucket] as number; at !== 0; at = i32[(STACK_TRACES >> 2) + at - 1] as number) {
    const start = (STACK_TRACES >> 2) + at;
    if (i32[start] === found.length && found.every((frame, i) => i32[start + 1 + i] === frame)) return at;
  }
  const used = counted(NR_TRACE_WORDS);
  if (used + found.length + 2 > MAX_STACK_TRACE_ENTRIES) return 0;
  if (i32[bucket] === 0) bump(NR_TRACE_HASH_CHAINS);
  bump(NR_TRACE_WORDS, found.length + 2);
  bump(NR_TRACES);
  const at = (STACK_TRACES >> 2) + used;
  i32[at] = i32[bucket] as number;
  i32[at + 1] = found.length;
  for (let i = 0; i < found.length; i++) i32[at + 2 + i] = found[i] as number;
  i32[bucket] = used + 1;
  return used + 1;
}

/** The frames of a kept trace, innermost first. */
export function traceLines(trace: number): string[] {
  if (trace === 0) return [];
  const start = (STACK_TRACES >> 2) + trace;
  const out: string[] = [];
  for (let i = 0; i < (i32[start] as number); i++) out.push(textOf(i32[start + 1 + i] as number));
  return out;
}

/** A function known only by its shadow-stack number, in the form of a frame: the line of the call is not known. */
export function functionText(fn: number): string {
  const info = functionInfo(fn);
  return info === undefined ? 'unknown' : `${info.name}+${info.file}`;
}
