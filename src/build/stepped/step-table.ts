/** What a module outside of the build must know to call stepped kernel code: written to `dist/stepped/steps.json`. */
import { relative } from 'node:path';
import type { Analysis } from './analysis.ts';
import type { Fn, Program } from './modules.ts';

/** How an exported function steps: it is a generator, or it announces an access before it is called. */
export type ExportedSteps = 'steps' | Announced;

export interface Announced {
  /** POINT_*. */
  readonly kind: number;
  readonly params: readonly string[];
  /** The address as an expression over the parameters; absent: the stepped module {@link at} exports a function that gives it. */
  readonly address?: string;
  readonly at?: string;
}

/** Exported functions that step, by module (path below `dist/src`) and name. */
export type StepTable = Readonly<Record<string, Readonly<Record<string, ExportedSteps>>>>;

/** @param source  the folder `dist/src` */
export function stepTable(program: Program, { announcing, stepping }: Analysis, source: string): StepTable {
  const howOf = (fn: Fn): ExportedSteps | undefined => {
    if (stepping.has(fn)) return 'steps';
    const announced = announcing.get(fn);
    if (announced === undefined) return undefined;
    const { kind, params, address, closed } = announced;
    return closed ? { kind, params, address } : { kind, params, at: relative(source, fn.module.file) };
  };
  const table: Record<string, Record<string, ExportedSteps>> = {};
  for (const module of program.modules.values()) {
    const names: Record<string, ExportedSteps> = {};
    for (const name of [...module.functions.keys(), ...module.exported.keys()].sort()) {
      const fn = module.functions.get(name) ?? program.exported(module, name);
      const how = fn === undefined ? undefined : howOf(fn);
      if (how !== undefined) names[name] = how;
    }
    if (Object.keys(names).length > 0) table[relative(source, module.file)] = names;
  }
  return table;
}
