/** Recorded rows of counters, and reading them from files. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { BadCounterVectors } from './workload.ts';

/** The counters that a row is compared by. */
export const COUNTERS = [
  'pages_shared',
  'pages_sharing',
  'pages_unshared',
  'pages_volatile',
  'stable_node_chains',
  'stable_node_dups',
  'run',
] as const;

/** What was read after a step of a workload. */
export interface Row {
  workload: string;
  step: string;
  /** The counters of {@link COUNTERS} by name; one that is absent is not compared. */
  counters: Readonly<Partial<Record<(typeof COUNTERS)[number], number>>>;
  /** Per process: the pages that it shares, and its rmap_items. */
  procs: readonly { proc: number; merging?: number; items?: number }[];
}

interface RawProcess {
  proc?: unknown;
  ksm_merging_pages?: unknown;
  'ksm_stat.ksm_rmap_items'?: unknown;
}

function whole(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value);
}

function toRow(raw: Record<string, unknown>, where: string): Row {
  if (typeof raw.workload !== 'string' || typeof raw.step !== 'string') throw new BadCounterVectors(`${where}: has no workload or step`);
  const counters: Record<string, number> = {};
  for (const name of COUNTERS) if (whole(raw[name])) counters[name] = raw[name];
  const procs = (Array.isArray(raw.procs) ? (raw.procs as RawProcess[]) : []).map((p, i) => ({
    proc: whole(p.proc) ? p.proc : i,
    ...(whole(p.ksm_merging_pages) ? { merging: p.ksm_merging_pages } : {}),
    ...(whole(p['ksm_stat.ksm_rmap_items']) ? { items: p['ksm_stat.ksm_rmap_items'] } : {}),
  }));
  return { workload: raw.workload, step: raw.step, counters, procs };
}

/**
 * Reads a file of rows: `{ "rows": [...] }`, plain or gzipped.
 * @throws BadCounterVectors
 */
export function readRows(file: string): Row[] {
  let parsed: unknown;
  try {
    const bytes = readFileSync(file);
    parsed = JSON.parse((bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('utf8'));
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'it is not JSON';
    throw new BadCounterVectors(`--vectors ${file}: cannot be read (${why})`);
  }
  const rows = (parsed as { rows?: unknown } | null)?.rows;
  if (!Array.isArray(rows) || rows.length === 0) throw new BadCounterVectors(`--vectors ${file}: holds no "rows"`);
  return rows.map((raw, i) => toRow(raw as Record<string, unknown>, `--vectors ${file}, row ${i + 1}`));
}
