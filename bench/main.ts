/**
 * `npm run bench`: all benches side by side with their peers.
 *
 * Exit codes: 0; 1 bad usage; 2 with `--compare` when something got slower beyond the noise.
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { type MachineState, machineLine, watchMachine } from '../src/lab/machine-state.ts';
import type { Bench, BenchOptions, Row } from './bench.ts';
import { compareRuns } from './compare.ts';
import { alignTable, formatRows } from './table.ts';

/** One line of the file that is kept. */
interface Run {
  date: string;
  quick: boolean;
  machine: MachineState;
  rows: Row[];
}

class BadUsage extends Error {}

async function findBenches(): Promise<Bench[]> {
  const files = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.bench.js'));
  return Promise.all(files.sort().map(async (name) => (await import(`./${name}`)) as Bench));
}

function usage(benches: Bench[]): string {
  const names = alignTable(benches.map((b) => [`  ${b.name}`, b.about.padEnd(Math.max(...benches.map((x) => x.about.length)))]));
  return `npm run bench -- [NAME...] [options]

${names}

  --only NAME      the same as NAME; may be given more than once
  --quick          a short look at everything
  --compare FILE   against the last run in FILE; exit code 2 when something got slower beyond the noise
  --keep FILE      append this run to FILE (JSON Lines) [bench-results/runs.jsonl]
  --json           the run as one JSON object on stdout, tables on stderr
  --help`;
}

function parse(): ReturnType<typeof parseOptions> {
  try {
    return parseOptions();
  } catch (error) {
    throw new BadUsage((error as Error).message);
  }
}

function parseOptions() {
  return parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      compare: { type: 'string' },
      keep: { type: 'string', default: 'bench-results/runs.jsonl' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
}

/** The last run in a file of runs. */
function readRun(file: string): Run {
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const run = JSON.parse(lines.at(-1) as string) as Run;
    if (!Array.isArray(run.rows)) throw new Error('its last line is no run');
    return run;
  } catch (error) {
    throw new BadUsage(`--compare ${file}: ${(error as Error).message}`);
  }
}

function printComparison(then: Run, rows: Row[], print: (text: string) => void): boolean {
  const changes = compareRuns(then.rows, rows);
  const table = [[`against ${then.date}`, 'time', 'noise', 'p', 'verdict']];
  for (const c of changes) {
    const setting = c.row.peer === undefined ? '' : `, ${c.row.peer}`;
    const name = `${c.row.group}: ${c.row.case}${setting}${c.peer === undefined ? '' : ` (relative to ${c.peer})`}`;
    table.push([name, `x ${c.slowdown.toFixed(3)}`, `${(100 * c.noise).toFixed(0)} %`, c.p.toFixed(3), c.verdict]);
  }
  print(`\n${alignTable(table)}\n`);
  return changes.some((c) => c.verdict === 'slower');
}

async function main(): Promise<number> {
  const { values, positionals } = parse();
  const benches = await findBenches();
  const print = values.json ? (text: string) => process.stderr.write(`${text}\n`) : (text: string) => process.stdout.write(`${text}\n`);
  if (values.help) {
    print(usage(benches));
    return 0;
  }
  const names = [...positionals, ...values.only];
  for (const name of names) {
    if (!benches.some((b) => b.name === name))
      throw new BadUsage(`no bench is called ${name}; there are ${benches.map((b) => b.name).join(', ')}`);
  }
  const then = values.compare === undefined ? undefined : readRun(values.compare);
  const options: BenchOptions = {
    quick: values.quick,
    cores: availableParallelism(),
    say: (text) => process.stderr.write(`${text}\n`),
  };
  const machine = watchMachine();
  const rows: Row[] = [];
  for (const bench of benches) {
    if (names.length > 0 && !names.includes(bench.name)) continue;
    options.say(`${bench.name}: ${bench.about}`);
    const found = await bench.run(options);
    print(`\n${formatRows(found)}\n`);
    rows.push(...found);
  }
  const run: Run = { date: new Date().toISOString(), quick: values.quick, machine: machine(options.cores), rows };
  print(machineLine(run.machine));
  const slower = then !== undefined && printComparison(then, rows, print);
  mkdirSync(dirname(values.keep), { recursive: true });
  appendFileSync(values.keep, `${JSON.stringify(run)}\n`);
  if (values.json) process.stdout.write(`${JSON.stringify(run)}\n`);
  return slower ? 2 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BadUsage)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
