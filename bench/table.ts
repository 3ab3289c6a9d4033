/** Prints rows as aligned tables, ours beside the peers. */
import { isRate, type Row } from './bench.ts';

/** Three figures that matter, with thousands set apart. */
export function figure(x: number): string {
  if (!Number.isFinite(x)) return '-';
  const digits = Math.abs(x) >= 100 ? 0 : Math.abs(x) >= 10 ? 1 : 2;
  return x.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d)(?<!\.\d*))/g, ',');
}

/** Pads the cells of each column; the first column to the left, the others to the right. */
export function alignTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const cells of rows) {
    cells.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join('  ');
  return rows.map((cells) => line(cells).trimEnd()).join('\n');
}

/** Ours against a peer, above 1 when ours is the better one. */
export function advantage(ours: Row, peer: Row): number {
  return isRate(ours.unit) ? ours.median / peer.median : peer.median / ours.median;
}

/** The tables of all groups. */
export function formatRows(rows: readonly Row[]): string {
  const out: string[] = [];
  for (const group of new Set(rows.map((r) => r.group))) {
    const table = [[group, 'unit', 'median', 'best', 'spread', 'ours is']];
    const inGroup = rows.filter((r) => r.group === group);
    for (const what of new Set(inGroup.map((r) => r.case))) {
      const together = inGroup.filter((r) => r.case === what);
      const ours = together.find((r) => r.peer === undefined);
      for (const r of together) {
        const against = r.peer !== undefined && ours !== undefined ? `x ${advantage(ours, r).toFixed(2)} as fast` : '';
        const name = r.peer === undefined ? what : `${ours === undefined ? `${what}, ` : '  '}${r.peer}`;
        table.push([name, r.unit, figure(r.median), figure(r.best), `${(100 * r.spread).toFixed(1)} %`, against]);
      }
    }
    out.push(alignTable(table));
  }
  return out.join('\n\n');
}
