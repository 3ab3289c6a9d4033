/**
 * Little programs with known answers: how often they go wrong, how many interleavings and traces they have. They test the
 * search, and show what each kind of finding looks like.
 */
import { addressOf, atomic_inc_return, atomic_read, elementOf, get, READ_ONCE, set, WRITE_ONCE } from '../../machine/door.ts';
import { embed, embedArray, NULL, type Ptr, pointer, struct, word } from '../../machine/layout.ts';
import { staticStorage } from '../../machine/memory.ts';
import { slabAlloc, slabCache, slabFree } from '../../machine/slab.ts';
import { staticKey } from '../locking/lockdep/types.ts';
import { mutex, mutex_init, mutex_lock, mutex_unlock } from '../locking/mutex.ts';
import type { Scenario, ScenarioTask, Workload } from './scenario.ts';

const litmus_cell = struct('litmus_cell', { value: word }, 64);
const litmus_object = struct('litmus_object', { value: word });
const CELLS = 16;

const litmus_world = struct('litmus_world', {
  cells: embedArray(litmus_cell, CELLS),
  lock_a: embed(mutex),
  lock_b: embed(mutex),
  object: pointer('litmus_object'),
});

const world = staticStorage('litmus_world', litmus_world.SIZE).address as Ptr<'litmus_world'>;
const lock_a = addressOf(world, litmus_world.lock_a);
const lock_b = addressOf(world, litmus_world.lock_b);
const objects = slabCache(litmus_object);

/** @inline */
function cell(i: number): Ptr<'litmus_cell'> {
  return elementOf(world, litmus_world.cells, litmus_cell, i);
}

function setUp(): void {
  for (let i = 0; i < CELLS; i++) set(cell(i), litmus_cell.value, 0);
  mutex_init(lock_a, 'a', staticKey('litmus:a'));
  mutex_init(lock_b, 'b', staticKey('litmus:b'));
  const object = slabAlloc(objects);
  set(object, litmus_object.value, 0);
  set(world, litmus_world.object, object);
}

function tearDown(): void {
  const object = get(world, litmus_world.object);
  if (object !== NULL) slabFree(objects, object);
}

const NOTHING: readonly string[] = [];
function nothing(): readonly string[] {
  return NOTHING;
}

/** As many tasks as asked for, all the same. */
function crowd(run: ScenarioTask['run'], workload: Workload): ScenarioTask[] {
  return Array.from({ length: workload.tasks }, (_, i) => ({ name: `task-${i + 1}`, run }));
}

const common = { defaults: { vmas: 1, pages: 0, processes: 0, scanned: false }, setUp, tearDown };

// Deadlock: each task holds what the other one wants.

function a_then_b(): void {
  mutex_lock(lock_a);
  mutex_lock(lock_b);
  mutex_unlock(lock_b);
  mutex_unlock(lock_a);
}
function b_then_a(): void {
  mutex_lock(lock_b);
  mutex_lock(lock_a);
  mutex_unlock(lock_a);
  mutex_unlock(lock_b);
}

export const abBa: Scenario = {
  ...common,
  name: 'ab-ba',
  summary: 'two locks taken in opposite order (fixed: in the same order)',
  variants: ['unfixed', 'fixed'],
  taskLimits: [2, 2],
  tasks: ({ variant }) => [
    { name: 'ab', run: a_then_b },
    { name: 'ba', run: variant === 'fixed' ? a_then_b : b_then_a },
  ],
  check: nothing,
};

// Lost update: a counter read and written back in two steps.

function add_in_two_steps(workload: Workload): void {
  for (let i = 0; i < workload.vmas; i++) WRITE_ONCE(cell(0), litmus_cell.value, READ_ONCE(cell(0), litmus_cell.value) + 1);
}
function add_in_one_step(workload: Workload): void {
  for (let i = 0; i < workload.vmas; i++) atomic_inc_return(cell(0), litmus_cell.value);
}
const LOST: readonly string[] = ['an update of the counter is lost'];
function check_sum(workload: Workload): readonly string[] {
  return get(cell(0), litmus_cell.value) === workload.tasks * workload.vmas ? NOTHING : LOST;
}

export const lostUpdate: Scenario = {
  ...common,
  name: 'lost-update',
  summary: 'a counter incremented in two steps by several tasks (fixed: in one); --vmas says how often',
  variants: ['unfixed', 'fixed'],
  taskLimits: [2, 8],
  tasks: (workload) => crowd(workload.variant === 'fixed' ? add_in_one_step : add_in_two_steps, workload),
  check: check_sum,
};

// Use after free: a reader without a reference (fixed: under the lock that the other one frees under).

function free_object(): void {
  mutex_lock(lock_a);
  const object = get(world, litmus_world.object);
  set(world, litmus_world.object, NULL);
  mutex_unlock(lock_a);
  slabFree(objects, object);
}
function use_object(): void {
  mutex_lock(lock_a);
  const object = get(world, litmus_world.object);
  mutex_unlock(lock_a);
  if (object !== NULL) atomic_read(object, litmus_object.value);
}
function use_object_locked(): void {
  mutex_lock(lock_a);
  const object = get(world, litmus_world.object);
  if (object !== NULL) atomic_read(object, litmus_object.value);
  mutex_unlock(lock_a);
}

export const useAfterFree: Scenario = {
  ...common,
  name: 'use-after-free',
  summary: 'an object used after its lock was given up, and freed meanwhile (fixed: used under the lock)',
  variants: ['unfixed', 'fixed'],
  taskLimits: [2, 2],
  tasks: ({ variant }) => [
    { name: 'user', run: variant === 'fixed' ? use_object_locked : use_object },
    { name: 'owner', run: free_object },
  ],
  check: nothing,
};

// Atomicity violation: checked under the lock, acted upon under the lock, but not under the same hold of it.

function take_if_there(): void {
  mutex_lock(lock_a);
  const there = get(cell(0), litmus_cell.value) === 0;
  mutex_unlock(lock_a);
  if (!there) return;
  mutex_lock(lock_a);
  set(cell(0), litmus_cell.value, get(cell(0), litmus_cell.value) + 1);
  mutex_unlock(lock_a);
}
function take_if_there_at_once(): void {
  mutex_lock(lock_a);
  if (get(cell(0), litmus_cell.value) === 0) set(cell(0), litmus_cell.value, 1);
  mutex_unlock(lock_a);
}
const TWICE: readonly string[] = ['the only item was taken more than once'];
function check_taken(): readonly string[] {
  return get(cell(0), litmus_cell.value) <= 1 ? NOTHING : TWICE;
}

export const atomicity: Scenario = {
  ...common,
  name: 'atomicity',
  summary: 'an item looked for and taken under two holds of a lock (fixed: under one)',
  variants: ['unfixed', 'fixed'],
  taskLimits: [2, 8],
  tasks: (workload) => crowd(workload.variant === 'fixed' ? take_if_there_at_once : take_if_there, workload),
  check: check_taken,
};

// Unprotected data: plain accesses without a lock (fixed: under one).

function write_plainly(_workload: Workload, index: number): void {
  WRITE_ONCE(cell(1 + index), litmus_cell.value, 1);
  set(cell(0), litmus_cell.value, index);
  WRITE_ONCE(cell(1 + index), litmus_cell.value, 2);
}
function write_locked(_workload: Workload, index: number): void {
  mutex_lock(lock_a);
  set(cell(0), litmus_cell.value, index);
  mutex_unlock(lock_a);
}

export const dataRace: Scenario = {
  ...common,
  name: 'data-race',
  summary: 'a word written by several tasks without a lock (fixed: under one); only the race detector sees it',
  variants: ['unfixed', 'fixed'],
  taskLimits: [2, 8],
  tasks: (workload) => crowd(workload.variant === 'fixed' ? write_locked : write_plainly, workload),
  check: nothing,
};

// Known numbers: every task makes `vmas` steps. Together: on one word; apart: each on its own; readers: all read one word.

function write_together(workload: Workload): void {
  for (let i = 0; i < workload.vmas; i++) WRITE_ONCE(cell(0), litmus_cell.value, i);
}
function write_apart(workload: Workload, index: number): void {
  for (let i = 0; i < workload.vmas; i++) WRITE_ONCE(cell(index), litmus_cell.value, i);
}
function read_together(workload: Workload): void {
  for (let i = 0; i < workload.vmas; i++) READ_ONCE(cell(0), litmus_cell.value);
}
function lock_together(workload: Workload): void {
  for (let i = 0; i < workload.vmas; i++) {
    mutex_lock(lock_a);
    mutex_unlock(lock_a);
  }
}
const STEPS: Record<string, ScenarioTask['run']> = {
  together: write_together,
  apart: write_apart,
  readers: read_together,
  locked: lock_together,
};

export const steps: Scenario = {
  ...common,
  name: 'steps',
  summary: 'tasks of --vmas steps each, on one word, apart, reading only or under a lock: known numbers of interleavings and traces',
  variants: ['together', 'apart', 'readers', 'locked'],
  taskLimits: [2, 8],
  tasks: (workload) => crowd(STEPS[workload.variant] as ScenarioTask['run'], workload),
  check: nothing,
};

// Known depth: one task steps through 0, 1, ... 6; the finding needs each look of the other one to see the right value.
// Seeing 0 takes one ordering (the look before the first step), 6 one (after the last), 2 two (after 2, before 3).

function step_through(): void {
  for (let i = 1; i <= 6; i++) WRITE_ONCE(cell(0), litmus_cell.value, i);
}
/** Counts in cell 1 how many of the looks came at the right moment; they must come one after the other. */
function look_for(values: readonly number[]): void {
  for (const value of values) {
    if (READ_ONCE(cell(0), litmus_cell.value) !== value) return;
    set(cell(1), litmus_cell.value, get(cell(1), litmus_cell.value) + 1);
  }
}
function look_1(): void {
  look_for([0]);
}
function look_2(): void {
  look_for([3]);
}
function look_3(): void {
  look_for([2, 6]);
}
function look_4(): void {
  look_for([2, 4]);
}
const LOOKS: Record<string, ScenarioTask['run']> = { 'depth-1': look_1, 'depth-2': look_2, 'depth-3': look_3, 'depth-4': look_4 };
const LOOKED: readonly string[] = ['every look came at the right moment'];
function check_looks({ variant }: Workload): readonly string[] {
  return get(cell(1), litmus_cell.value) === (variant >= 'depth-3' ? 2 : 1) ? LOOKED : NOTHING;
}

export const depth: Scenario = {
  ...common,
  name: 'depth',
  summary: 'a finding that needs as many orderings as the variant says',
  variants: ['depth-1', 'depth-2', 'depth-3', 'depth-4'],
  taskLimits: [2, 2],
  tasks: ({ variant }) => [
    { name: 'steps', run: step_through },
    { name: 'looks', run: LOOKS[variant] as ScenarioTask['run'] },
  ],
  check: check_looks,
};

export const litmus: readonly Scenario[] = [abBa, lostUpdate, useAfterFree, atomicity, dataRace, steps, depth];
