/** The stepped twin of machine/heap-check: the heap of stepped tasks (heap.ts) does its own checking. */
// What is not replaced below is the same; local exports come before starred ones.
export * from '../heap-check.ts';

export const HEAP_CHECK: boolean = false;
