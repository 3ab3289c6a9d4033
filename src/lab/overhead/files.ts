/** What a result directory of `overhead` holds: text, JSON, all samples as CSV, plots. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../directories.ts';
import type { Cell, Condition, Entry, OverheadResult } from './result.ts';
import { overheadText } from './text-report.ts';

const conditionName = (c: Condition): string => `${c.areas}-${c.cache}-${c.counter}`;

/** Every block, then every single measurement of every block, one line each. */
export function samplesCsv(cells: readonly Cell[]): string {
  const lines = ['claim,vmas,condition,phase,round,variant,kind,value'];
  for (const cell of cells) {
    for (const block of cell.experiment.blocks) {
      const head = `${cell.claim},${cell.vmas},${conditionName(cell.condition)},${block.phase},${block.round},${block.variant}`;
      lines.push(`${head},block,${block.value}`);
      for (const [name, value] of Object.entries(block.parts ?? {})) lines.push(`${head},${name},${value}`);
      for (const [i, sample] of (block.samples ?? []).entries()) {
        lines.push(`${head},sample,${sample}`);
        for (const [name, values] of Object.entries(block.sampleParts ?? {})) lines.push(`${head},sample ${name},${values[i]}`);
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Writes the directory; it is made when it is not there.
 * @returns the names of the files
 */
export async function writeOverhead(directory: string, result: OverheadResult, cells: readonly Cell[]): Promise<string[]> {
  makeDirectory(directory);
  const names: string[] = [];
  const write = (name: string, text: string): void => {
    writeFileSync(join(directory, name), text);
    names.push(name);
  };
  write('overhead.json', `${JSON.stringify(result, undefined, 2)}\n`);
  write('overhead.txt', `${overheadText(result)}\n`);
  write('samples.csv', samplesCsv(cells));
  // Loaded here, because it costs a tenth of a second that nobody else should wait.
  const { latencyPlot, ratioPlot } = await import('./plots.ts');
  const plots: [string, string, readonly Entry[]][] = [
    ['iteration.svg', 'Unmerge pass without a race: time per VMA', result.iteration],
    ['exit-latency.svg', 'Exit while the scanner is in the loop: latency', result.exitLatency],
  ];
  for (const condition of new Set(result.conditions.map((e) => conditionName(e.condition)))) {
    const entries = result.conditions.filter((e) => conditionName(e.condition) === condition);
    plots.push([`iteration-${condition}.svg`, `Unmerge pass, ${condition.replaceAll('-', ', ')} counter`, entries]);
  }
  for (const [name, title, entries] of plots) if (entries.some((e) => e.judged !== undefined)) write(name, ratioPlot(title, entries));
  for (const cell of cells.filter((c) => c.claim === 'exitLatency')) {
    write(`exit-latency-${cell.vmas}.svg`, latencyPlot(`Exit latency, ${cell.vmas} VMAs`, cell));
  }
  return names;
}
