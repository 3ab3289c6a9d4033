/**
 * The second build: `dist/src/kernel/**` once more under `dist/stepped/kernel/**`, with every function that can reach
 * a scheduling point as a generator (see analysis.ts, rewrite.ts).
 *
 * machine/door, machine/plain, machine/lockword and machine/bytes are rewritten with it; machine/slab, machine/wait and machine/heap-check have
 * twins in machine/stepped/.
 * Modules that touch no shared memory (struct layouts, names, numbers) are not written again: the stepped ones import
 * the plain ones. A file whose head comment says `@unrewound` stays plain too: what it writes outlives a schedule.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { Node } from 'acorn';
import { sourceOf } from '../source-lines.ts';
import { analyse } from './analysis.ts';
import { type Module, Program, readModule } from './modules.ts';
import { rewrite, specifierFrom } from './rewrite.ts';
import { stepTable } from './step-table.ts';

/** Importing one of these means touching shared memory that a schedule may change. */
const MEMORY = /\/machine\/(bytes|door|lockword|plain|slab|wait|memory|points)\.js$/;

/**
 * @param dist  the folder that holds `src/`
 * @throws SteppedBuildError
 */
export function buildStepped(dist: string): void {
  const source = join(dist, 'src');
  const target = join(dist, 'stepped');
  const program = new Program();
  for (const file of listModules(join(source, 'kernel'))) program.add(readModule(file));
  for (const name of ['bytes', 'door', 'plain', 'points', 'wait', 'lockword', 'slab', 'memory'])
    program.add(readModule(join(source, 'machine', `${name}.js`)));

  const lines = new Map<string, (line: number) => number>();
  const lineOf = (module: Module, node: Node): string => {
    const map = lines.get(module.file) ?? sourceOf(`${module.file}.map`).lineOf;
    lines.set(module.file, map);
    return `src/${relative(source, module.file).replace(/\.js$/, '.ts')}:${map((node as { loc?: { start: { line: number } } }).loc?.start.line ?? 1)}`;
  };
  const points = program.modules.get(join(source, 'machine', 'points.js')) as Module;
  const analysis = analyse(program, pointKinds(points), lineOf);
  const stepped = steppedModules(program, source);
  for (const name of ['bytes', 'door', 'lockword', 'plain']) stepped.add(join(source, 'machine', `${name}.js`));
  const machine = (name: string) => join(source, 'machine', `${name}.js`);
  const unchecked = (file: string) => /@notrace\b/.test((program.modules.get(file) as Module).head);
  /** Where `from` finds what it imports as `file`. */
  const placeOf = (file: string, from?: string) => {
    if (['slab', 'wait', 'heap-check'].some((name) => file === machine(name))) return join(source, 'machine', 'stepped', basename(file));
    if (file === machine('door') && from !== undefined && from !== file && unchecked(from))
      return join(target, 'machine', 'door-unchecked.js');
    return stepped.has(file) ? join(target, relative(source, file)) : file;
  };

  const hash = createHash('sha256');
  const written = new Set<string>();
  const write = (file: string, to: string, checked: boolean) => {
    const module = program.modules.get(file) as Module;
    const code = rewrite(
      program,
      module,
      analysis,
      {
        specifier: (imported) => specifierFrom(to, placeOf(imported, file)),
        step: specifierFrom(to, machine('stepped/step')),
        access: specifierFrom(to, machine('stepped/access')),
        checked,
      },
      lineOf,
    );
    mkdirSync(dirname(to), { recursive: true });
    replaceFile(to, code);
    copyFileSync(`${file}.map`, `${to}.map`);
    written.add(to).add(`${to}.map`);
    hash.update(relative(target, to)).update(code);
  };
  for (const file of [...stepped].sort()) write(file, placeOf(file), !unchecked(file));
  write(machine('door'), join(target, 'machine', 'door-unchecked.js'), false);
  // What tasks run on belongs to the code as well: the same choices over another door are another schedule.
  for (const file of [...program.modules.keys()].sort()) if (!stepped.has(file)) hash.update(readFileSync(file));
  replaceFile(join(target, 'code-hash.txt'), hash.digest('hex').slice(0, 8));
  replaceFile(join(target, 'steps.json'), JSON.stringify(stepTable(program, analysis, source)));
  written.add(join(target, 'code-hash.txt')).add(join(target, 'steps.json'));
  for (const entry of readdirSync(target, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile() && !written.has(file)) rmSync(file);
  }
}

function listModules(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** POINT_* of machine/points with their numbers. */
function pointKinds(points: Module): Map<string, number> {
  return new Map([...points.code.matchAll(/export const (POINT_\w+) = (\d+);/g)].map((m) => [m[1] as string, Number(m[2])]));
}

/** Modules that touch shared memory, and those that import one. */
function steppedModules(program: Program, source: string): Set<string> {
  const kernel = [...program.modules.values()].filter((m) => m.file.startsWith(join(source, 'kernel')));
  const out = new Set<string>();
  const importsOf = (m: Module) => new Set([...m.imports.values(), ...m.exported.values()].map((b) => b.file));
  const kept = (m: Module) => m.head.includes('@unrewound');
  for (let grew = true; grew; ) {
    grew = false;
    for (const m of kernel) {
      if (out.has(m.file) || kept(m)) continue;
      const files = [...importsOf(m)];
      const touches = files.some((f) => out.has(f)) || files.some((f) => MEMORY.test(f) && !onlyNames(m, f));
      if (!touches) continue;
      out.add(m.file);
      grew = true;
    }
  }
  return out;
}

/** Names and places of static storage are fixed for good, so asking for them is not touching memory. */
function onlyNames(module: Module, file: string): boolean {
  if (!file.endsWith('/machine/memory.js')) return false;
  return [...module.imports.values()].every((b) => b.file !== file || /^(internName|staticStorage|hashText|arenaBytes)$/.test(b.imported));
}

/** Written beside and renamed, so that nobody ever loads half a file. */
function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
}
