/**
 * The shadow stack: which kernel functions a task is in, kept in its area where other threads can read it.
 *
 * Kernel source is plain; the build adds a call of `__fentry__` at the start and `__fexit__` at each return of
 * every kernel function that is not marked `@inline` or `@notrace` (as gcc -pg does for ftrace, see build/instrument.ts).
 * So an `@inline` helper counts as its caller, as in the kernel. The top of the stack names the function in
 * lockdep's "at:", in the diagram and in traces at the cost of two stores, with no stack captured.
 */
import { bootOptions } from './boot.ts';
import { i32 as arenaWords, internName } from './memory.ts';
import { recordEnter, recordLeave } from './recorder.ts';
import { AREA_DEPTH, AREA_SHADOW, currentArea, SHADOW_DEPTH } from './task-area.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;
const DEPTH = AREA_DEPTH >> 2;
const SHADOW = AREA_SHADOW >> 2;

const RECORD = bootOptions().record;
/** Function calls are told to a listener as well (boot option traceCalls). */
const TRACE_CALLS = bootOptions().traceCalls;
const MASK = SHADOW_DEPTH - 1;

/** What is known of a function number in this thread. */
export interface FunctionInfo {
  name: string;
  /** Source file, relative to the project, and line. */
  file: string;
  line: number;
}
const functions: FunctionInfo[] = [];
const registered = new Set<string>();

/** Numbers a function, the same in every thread. Called once per function at module evaluation. */
export function registerFunction(name: string, file: string, line: number): number {
  const id = internName('function', `${file}:${name}`);
  functions[id] = { name, file, line };
  registered.add(file);
  registered.add(`${file}:${name}`);
  return id;
}

/**
 * Does this function announce itself? False for `@inline` and `@notrace` ones.
 * @returns undefined when no function of the file does: then it was not instrumented, or is `@notrace` as a whole
 */
export function isTraced(name: string, file: string): boolean | undefined {
  return registered.has(file) ? registered.has(`${file}:${name}`) : undefined;
}

/** The function behind a number, if its module is loaded in this thread. */
export function functionInfo(id: number): FunctionInfo | undefined {
  return functions[id];
}

// biome-ignore lint/style/useNamingConvention: gcc's name for it
export function __fentry__(id: number): void {
  const area = currentArea() >> 2;
  const depth = i32[area + DEPTH] as number;
  i32[area + SHADOW + (depth & MASK)] = id;
  i32[area + DEPTH] = depth + 1;
  if (RECORD) recordEnter(id);
  if (TRACE_CALLS) heardCall(id, true);
}

// biome-ignore lint/style/useNamingConvention: twin of __fentry__
export function __fexit__<T>(value: T): T {
  if (TRACE_CALLS) heardCall(currentFunction(), false);
  const at = (currentArea() >> 2) + DEPTH;
  i32[at] = (i32[at] as number) - 1;
  if (RECORD) recordLeave();
  return value;
}

let heardCall: (id: number, entered: boolean) => void = () => {};

/** Makes `heard` the one listener of this thread to functions entered and left. Needs the boot option traceCalls. */
export function listenToCalls(heard: (id: number, entered: boolean) => void): void {
  heardCall = heard;
}

/** Number of the function that the current task is in; 0 when it is in none. */
export function currentFunction(): number {
  const area = currentArea() >> 2;
  const depth = i32[area + DEPTH] as number;
  return depth === 0 ? 0 : (i32[area + SHADOW + ((depth - 1) & MASK)] as number);
}

/** The function numbers on a task's stack, innermost first; a racy look when the task runs. */
export function shadowStack(area: number): number[] {
  const depth = Math.min(i32[(area >> 2) + DEPTH] as number, SHADOW_DEPTH);
  const out: number[] = [];
  for (let i = depth - 1; i >= 0; i--) out.push(i32[(area >> 2) + SHADOW + i] as number);
  return out;
}

/** Empties the current task's stack, after an exception unwound it. */
export function resetShadowStack(): void {
  i32[(currentArea() >> 2) + DEPTH] = 0;
}
