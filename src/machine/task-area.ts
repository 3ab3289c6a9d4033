/**
 * Task areas: what the machine and the kernel keep per task, like a kernel stack with its thread_info.
 *
 * One area of {@link AREA_BYTES} for each of {@link MAX_TASKS} tasks, all in the arena, so that another
 * thread can read who runs what (hung tasks, diagrams). Only the owning task writes its area. In a free run a
 * thread is one task for its whole life; when one thread plays several tasks it switches with {@link setCurrent}.
 */
import { bootOptions } from './boot.ts';
import { EmulatorBug } from './errors.ts';
import { i32 as arenaWords, staticStorage } from './memory.ts';

// Own constants: the JIT folds those of a module, but not imported ones.
const i32 = arenaWords;

/** Tasks that can exist at a time. */
export const MAX_TASKS = 64;
/** Bytes per task: the machine's part first, then the kernel's task_struct from {@link AREA_KERNEL} on. */
export const AREA_BYTES = 16384;

/** Index of the task, 0 to MAX_TASKS - 1. */
export const AREA_INDEX = 0;
/** Depth of the shadow stack (see shadow-stack.ts). */
export const AREA_DEPTH = 4;
/** Lamport clock of the task (see recorder.ts). */
export const AREA_CLOCK = 8;
/** Records written to the ring since the last reset. */
export const AREA_RING_HEAD = 12;
/** Byte address of the ring. */
export const AREA_RING = 16;
/** State of the delay generator (see points.ts). */
export const AREA_RANDOM = 20;
/** Address of the word that the task waits on now, 0 when it runs (see wait.ts). */
export const AREA_WAITING_ON = 24;
/** Times the task began to wait in Atomics.wait. */
export const AREA_PARKED = 28;
/** The task's clock when its ring was reset. */
export const AREA_RING_CLOCK = 32;
/** The shadow stack: function numbers, {@link SHADOW_DEPTH} words. */
export const AREA_SHADOW = 64;
export const SHADOW_DEPTH = 128;
/** Per-cache magazines (see slab.ts): {@link SLAB_CACHES} times 16 bytes. */
export const AREA_SLABS = 1024;
export const SLAB_CACHES = 64;
/** Scheduling-point statistics and delay tables. */
export const AREA_POINTS = 2048;
/** From here on the area belongs to the kernel: its task_struct. */
export const AREA_KERNEL = 4096;

const base = staticStorage('task_areas', MAX_TASKS * AREA_BYTES, 4096).address;

/** The area of task `index`. */
export function areaOf(index: number): number {
  if (!(index >= 0 && index < MAX_TASKS)) throw new EmulatorBug(`task number ${index} is not within 0..${MAX_TASKS - 1}`);
  return base + index * AREA_BYTES;
}

const { task } = bootOptions();
/** The area of the one task of this thread, 0 when it plays several (boot option task). */
const ONLY_AREA = task === undefined ? 0 : areaOf(task);
let area = ONLY_AREA || base;

/** The area of the task that this thread plays now. */
export function currentArea(): number {
  return ONLY_AREA === 0 ? area : ONLY_AREA;
}

/**
 * From now on this thread plays task `index`.
 * @throws EmulatorBug in a thread that was started for another task only
 */
export function setCurrent(index: number): void {
  if (task !== undefined && index !== task) throw new EmulatorBug(`this thread plays task ${task} only, not ${index}`);
  area = areaOf(index);
  i32[(area + AREA_INDEX) >> 2] = index;
}

setCurrent(task ?? 0);
