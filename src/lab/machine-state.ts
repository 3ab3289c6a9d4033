/** The state of the machine that a measurement stands on: without it a number cannot be judged. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';

/** What is written into every result. */
export interface MachineState {
  cpu: string;
  /** Cores that this process may use. */
  cores: number;
  /** Operating system and release. */
  system: string;
  node: string;
  /** Threads of this process that measured, the main thread not counted. */
  threads: number;
  /** Load average over 1, 5 and 15 minutes, at the end. */
  loadAverage: [number, number, number];
  /** Share of the time that a hypervisor gave our cores to others, in %, over the run; absent where the system does not tell. */
  stealPercent?: number;
  /** Share of the time that the cores worked for anybody, in %, over the run. */
  busyPercent?: number;
  seconds: number;
}

interface CpuTimes {
  all: number;
  idle: number;
  steal: number;
}

/** Sums of `/proc/stat` since boot, in ticks. Its columns: user nice system idle iowait irq softirq steal. */
function cpuTimes(): CpuTimes | undefined {
  try {
    const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] as string;
    const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
    return { all: ticks.reduce((sum, t) => sum + t, 0), idle: (ticks[3] ?? 0) + (ticks[4] ?? 0), steal: ticks[7] ?? 0 };
  } catch {
    return undefined;
  }
}

/**
 * Begins to watch the machine.
 * @returns a function that gives its state from then to now
 */
export function watchMachine(): (threads: number) => MachineState {
  const before = cpuTimes();
  const start = performance.now();
  return (threads) => {
    const after = cpuTimes();
    const load = loadavg().map((x) => Math.round(x * 100) / 100);
    const state: MachineState = {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      system: `${process.platform} ${release()}`,
      node: process.version,
      threads,
      loadAverage: [load[0] ?? 0, load[1] ?? 0, load[2] ?? 0],
      seconds: (performance.now() - start) / 1000,
    };
    if (before !== undefined && after !== undefined && after.all > before.all) {
      const percent = (x: number): number => Math.round((1000 * x) / (after.all - before.all)) / 10;
      state.stealPercent = percent(after.steal - before.steal);
      state.busyPercent = 100 - percent(after.idle - before.idle);
    }
    return state;
  };
}

/** One line for people. */
export function machineLine(state: MachineState): string {
  const steal = state.stealPercent === undefined ? '' : `, steal ${state.stealPercent} %`;
  const busy = state.busyPercent === undefined ? '' : `, cores ${state.busyPercent.toFixed(0)} % busy`;
  return `${state.cpu}, ${state.cores} cores, ${state.system}, Node ${state.node}, ${state.threads} threads, load ${state.loadAverage[0]}${busy}${steal}`;
}
