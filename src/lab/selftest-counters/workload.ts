/**
 * What a recorded workload is, by its name: how many processes with which pages, and which settings. Names are those of the
 * recordings, e.g. `4 processes x 64 equal pages` or `1 process x 5 equal pages, max_page_sharing=4`.
 */

/** How a run of pages is filled. */
export type Fill = 'equal' | 'different' | 'zero' | 'changing';

export interface Workload {
  name: string;
  processes: number;
  /** Pages of each process, in this order. */
  parts: readonly { pages: number; fill: Fill }[];
  /** Control files that are set first. */
  settings: readonly (readonly [file: string, value: string])[];
}

/** A name or step that is not understood; the message is one sentence for the user (exit code 1). */
export class BadCounterVectors extends Error {
  override name = 'BadCounterVectors';
}

const FILES = ['max_page_sharing', 'use_zero_pages', 'pages_to_scan', 'stable_node_chains_prune_millisecs'];

/** @throws BadCounterVectors */
export function parseWorkload(name: string): Workload {
  const head = /^(\d+) process(?:es)? x (.+)$/.exec(name);
  if (head === null) throw new BadCounterVectors(`workload "${name}" does not begin with a number of processes`);
  const parts = [...(head[2] as string).matchAll(/(\d+) (equal|different|zero|changing)\b/g)].map(([, pages, fill]) => ({
    pages: Number(pages),
    fill: fill as Fill,
  }));
  if (parts.length === 0) throw new BadCounterVectors(`workload "${name}" names no pages`);
  const settings = [...name.matchAll(/(\w+)=(\d+)/g)].map(([, file, value]) => [file as string, value as string] as const);
  for (const [file] of settings) {
    if (!FILES.includes(file)) throw new BadCounterVectors(`workload "${name}" sets ${file}, which is not one of ${FILES.join(', ')}`);
  }
  return { name, processes: Number(head[1]), parts, settings };
}
