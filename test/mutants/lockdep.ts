/**
 * Plants faults in the lock validator one by one and tells which tests catch each: `npm run mutants`.
 * Works on a copy of the build, with the text of one or two lines changed, and writes docs/lockdep-mutants.md.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Judgement } from './judge.ts';

const root = join(fileURLToPath(import.meta.url), '../../../..');
const VECTORS = join(root, 'test/fixtures/lockdep/vectors.jsonl.gz');

/** A fault: changes of text in files of src/kernel/locking/lockdep. */
export interface Mutant {
  fault: string;
  changes: [file: string, from: string, to: string][];
}

const ACQUIRE = 'export function lock_acquire(map, subclass, trylock, read, check, nest) {';

export const MUTANTS: Mutant[] = [
  { fault: 'recursive read treated as plain read', changes: [['lockdep', ACQUIRE, `${ACQUIRE} if (read === 2) read = 1;`]] },
  { fault: 'all reads treated as exclusive', changes: [['lockdep', ACQUIRE, `${ACQUIRE} read = 0;`]] },
  { fault: 'plain read treated as recursive', changes: [['lockdep', ACQUIRE, `${ACQUIRE} if (read === 1) read = 2;`]] },
  {
    fault: 'no strong-path filtering in the search',
    changes: [
      ['graph', '(isWeak ? goesOn : ALL_TYPES)', 'ALL_TYPES'],
      ['graph', '(types & staysStrong) !== 0 ? strongly : strongly + 1', 'strongly'],
    ],
  },
  { fault: 'strong-path filter, but the state of the start ignored', changes: [['graph', 'start * 2 + (weak ? 1 : 0)', 'start * 2']] },
  {
    fault: 'a dependency keeps only the first type seen',
    changes: [['graph', ' | dep);', ');']],
  },
  {
    fault: 'chain cache key without read mode',
    changes: [
      ['warm-path', 'const id = idx | (read << CLASS_BITS);', 'const id = idx;'],
      ['validate', 'return classIdx | (read << CLASS_BITS);', 'return classIdx;'],
    ],
  },
  {
    fault: 'no wait-context check',
    changes: [
      ['slow-path', 'get(c, lock_class.wait_need) > waitMin', 'false'],
      ['warm-path', 'get(lockClassAt, lock_class.wait_need) > waitMin', 'false'],
    ],
  },
  { fault: 'hardirq_threaded ignored', changes: [['irqtrace', 'setState(current(), IRQ_THREADED, true);', '']] },
  {
    fault: 'hardirq always threaded',
    changes: [
      [
        'irqtrace',
        'get(curr, task_struct.hardirq_context) === 0)\n        setState(curr, IRQ_THREADED, false);',
        'true)\n        setState(curr, 16, true);',
      ],
    ],
  },
  { fault: 'outer wait type ignored', changes: [['classes', 'outer || inner', 'inner']] },
  {
    fault: 'wait check uses innermost held lock only',
    changes: [
      ['warm-path', 'inner !== 0 && inner < waitMin ? inner : waitMin', 'inner !== 0 ? inner : waitMin'],
      ['slow-path', 'inner !== 0 && inner < waitMin ? inner : waitMin', 'inner !== 0 ? inner : waitMin'],
    ],
  },
  { fault: 'local_lock not skipped in irq search', changes: [['graph', 'skipPerCpu && get(', 'false && get(']] },
  { fault: 'local_lock skipped everywhere', changes: [['graph', 'skipPerCpu && get(', 'get(']] },
  {
    fault: 'no reference merging for nested locks',
    changes: [['slow-path', 'depth > 0 && nest !== NULL && get(under, held_lock.class_idx) === idx', 'false']],
  },
  { fault: 'nest_lock does not excuse same class', changes: [['validate', 'if (nested)', 'if (false)']] },
  { fault: 'nest_lock not required to be held', changes: [['slow-path', 'nest !== NULL && !lock_is_held(nest)', 'false']] },
  { fault: 'softirq state ignored', changes: [['contexts', 'bits |= 1 << (4 + read);', ';']] },
  {
    fault: 'trylock adds dependencies',
    changes: [
      ['slow-path', 'if (!trylock && checked)', 'if (checked)'],
      ['warm-path', 'if (!trylock && checked)', 'if (checked)'],
    ],
  },
  {
    fault: 'trylock as previous lock stops the walk',
    changes: [['validate', '(flags & HELD_TRYLOCK) === 0)\n            break;', 'true)\n            break;']],
  },
  {
    fault: 'no irq graph search (same class only)',
    changes: [
      ['usage', 'if (found < 0)', 'if (true)'],
      ['usage', 'if (usedIn === 0)', 'if (true)'],
    ],
  },
  { fault: 'no irq search on new edges', changes: [['usage', 'if (usedIn === 0)', 'if (true)']] },
  { fault: 'no irq search on new usage', changes: [['usage', 'if (found < 0)', 'if (true)']] },
  {
    fault: 'irq enable does not mark held locks',
    changes: [['irqtrace', 'let i = 0; i < get(curr, ', 'let i = 0; false && i < get(curr, ']],
  },
  { fault: 'read usage = write usage', changes: [['contexts', 'const read = how >> 1;', 'const read = 0;']] },
  {
    fault: 'read usage bits never recorded',
    changes: [
      ['contexts', 'how * IRQ_STATES] = bits', 'how * IRQ_STATES] = read === 0 ? bits : 1 << (LOCK_USED + read)'],
      ['irqtrace', '(flags & HELD_CHECK) === 0', '(flags & HELD_CHECK) === 0 || (flags & HELD_READ_MASK) !== 0'],
    ],
  },
  { fault: 'read usage counts on weak paths', changes: [['usage', 'weak ? usage & WRITE_BITS : usage', 'usage']] },
  { fault: 'no transitive cycles', changes: [['graph', 'return head;', 'return head; if (!skipPerCpu && head > 0) continue;']] },
  {
    fault: 'irq contexts not separated',
    changes: [
      ['warm-path', '(get(under, held_lock.flags) & HELD_CONTEXT_MASK) !== context', 'false'],
      ['slow-path', '(get(under, held_lock.flags) & HELD_CONTEXT_MASK) !== context', 'false'],
      ['validate', '(flags & HELD_CONTEXT_MASK) !== context', 'false'],
    ],
  },
  {
    fault: 'no re-validation after out-of-order release',
    changes: [
      [
        'slow-path',
        'reacquire_held_locks(curr, i + 1, depth);\n',
        '{ for (let at = heldLock(curr, i); at < heldLock(curr, depth - 1); at += 4) set(at, 0, get(at + heldLock(curr, 1) - heldLock(curr, 0), 0)); set(curr, task_struct.lockdep_depth, depth - 1); }\n',
      ],
    ],
  },
  { fault: 'no imbalance report', changes: [['slow-path', 'reportUnlockImbalance(map);', '']] },
  { fault: 'no reinit report', changes: [['lockdep', 'debug_check_no_locks_reinit(map);', ';']] },
  {
    fault: 'graph validation of rcu (check=1)',
    changes: [['rcu-maps', 'lock_acquire(map, 0, 0, 2, 0, NULL)', 'lock_acquire(map, 0, 0, 2, 1, NULL)']],
  },
];

/** The text as a pattern: the build writes constants and offsets of fields as numbers. */
function pattern(text: string): RegExp {
  const literal = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(
    literal.replace(/\b(?:[A-Z][A-Z0-9_]{2,}|[a-z_]+\\\.[a-z_0-9]+)\b/g, (name) => `(?:${name}|-?\\d+)`),
    'g',
  );
}

/** Applies a change to every place that has the text; throws when there is none. */
function change(text: string, from: string, to: string, where: string): string {
  if (!pattern(from).test(text)) throw new Error(`${where}: no such text: ${from}`);
  return text.replace(pattern(from), () => to);
}

/** Makes a copy of the build with the fault in it and judges it. */
async function judge(mutant: Mutant, base: string): Promise<Judgement> {
  const place = mkdtempSync(join(base, 'mutant-'));
  for (const part of ['src/kernel', 'src/machine', 'src/lab/errors.js', 'src/lab/selftest-lockdep', 'test/kernel/locking', 'test/mutants'])
    cpSync(join(root, 'dist', part), join(place, part), { recursive: true });
  writeFileSync(join(place, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(place, 'node_modules'));
  for (const [file, from, to] of mutant.changes) {
    const path = join(place, `src/kernel/locking/lockdep/${file}.js`);
    writeFileSync(path, change(readFileSync(path, 'utf8'), from, to, mutant.fault));
  }
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [join(place, 'test/mutants/judge.js'), VECTORS], { timeout: 120_000 });
    return JSON.parse(stdout) as Judgement;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** A line of the table. */
function row(fault: string, { vectors, reports, own, programs }: Judgement): string {
  return `| ${fault} | ${vectors} | ${reports} | ${programs} | ${own.join('; ') || '-'} |`;
}

async function main(): Promise<void> {
  const base = mkdtempSync(join(tmpdir(), 'ksmrace-mutants-'));
  const rows: string[] = [];
  let missed = 0;
  try {
    const sound = await judge({ fault: 'none', changes: [] }, base);
    if (sound.vectors + sound.reports + sound.programs + sound.own.length > 0)
      throw new Error(`the validator fails without a fault: ${JSON.stringify(sound)}`);
    for (const mutant of MUTANTS) {
      const found = await judge(mutant, base);
      const caught = found.vectors + found.reports + found.programs + found.own.length > 0;
      if (!caught) missed++;
      console.log(
        `${caught ? 'caught' : 'MISSED'}  ${mutant.fault}: ${found.vectors} verdicts, ${found.reports} reports, ${found.programs} programs, ${found.own.length} own cases`,
      );
      rows.push(row(mutant.fault, found));
    }
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
  mkdirSync(join(root, 'docs'), { recursive: true });
  writeFileSync(
    join(root, 'docs/lockdep-mutants.md'),
    `# Faults planted in the lock validator, and who catches them

Made by \`npm run mutants\` (test/mutants/lockdep.ts): each fault is put into a copy of the build, then everything that judges
the validator runs. Of 287 recorded vectors, each replayed by calls and by events: how many give another verdict, and how many
only another report. Of 400 random lock programs: how many disagree with a search that tries every path. Last, our own cases.

| fault | verdicts | reports only | programs | own cases |
|---|--:|--:|--:|---|
${rows.join('\n')}
`,
  );
  console.log(`${MUTANTS.length - missed} caught, ${missed} missed`);
  process.exitCode = missed === 0 ? 0 : 1;
}

await main();
