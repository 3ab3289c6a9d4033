/**
 * The lock self-tests of Linux (the rows that CONFIG_DEBUG_LOCKING_API_SELFTESTS prints), in our own notation: 394 cases.
 * Known cases are checked against recorded vectors by a test.
 */
import { program } from './program.ts';
import { WW_LOCKS, WW_MIXED, WW_ROWS } from './suite-ww.ts';
import type { Vector, VectorOp } from './vector.ts';

/** A line of the table, with its cells; undefined: a column that the row leaves free. */
export interface SuiteRow {
  label: string;
  cells: (Vector | undefined)[];
}

/** A heading line, or a row. */
export type SuiteLine = string | SuiteRow;

const RULE = `  ${'-'.repeat(74)}`;
const COLUMNS = ['spin', 'wlock', 'rlock', 'mutex', 'wsem', 'rsem', 'rtmutex'];

/** A case. */
function vector(
  section: string,
  family: string,
  variant: string | null,
  lockType: string,
  fails: boolean,
  ops: VectorOp[],
  locks = WW_LOCKS,
): Vector {
  return {
    id: [family, variant, lockType].filter((part) => part !== null).join('/'),
    section,
    family,
    variant,
    lock_type: lockType,
    expect: fails ? 'FAILURE' : 'SUCCESS',
    decided_by: null,
    locks,
    ops,
    events: [],
    report: null,
  };
}

/** A case in the notation of program.ts. */
function written(
  section: string,
  family: string,
  variant: string | null,
  column: string,
  fails: boolean,
  text: string,
  type = column,
): Vector {
  const { ops, locks } = program(text, column);
  return vector(section, family, variant, type, fails, ops, locks);
}

/** Two locks nested, and given up again. */
function pair(a: string, b: string): string {
  return `+${a} +${b} -${b} -${a}`;
}

const BASIC: [family: string, text: string][] = [
  ['A-A deadlock', '+X1 +X2'],
  ['A-B-B-A deadlock', `${pair('A', 'B')} ${pair('B', 'A')}`],
  ['A-B-B-C-C-A deadlock', `${pair('A', 'B')} ${pair('B', 'C')} ${pair('C', 'A')}`],
  ['A-B-C-A-B-C deadlock', `${pair('A', 'B')} ${pair('C', 'A')} ${pair('B', 'C')}`],
  ['A-B-B-C-C-D-D-A deadlock', `${pair('A', 'B')} ${pair('B', 'C')} ${pair('C', 'D')} ${pair('D', 'A')}`],
  ['A-B-C-D-B-D-D-A deadlock', `${pair('A', 'B')} ${pair('C', 'D')} ${pair('B', 'D')} ${pair('D', 'A')}`],
  ['A-B-C-D-B-C-D-A deadlock', `${pair('A', 'B')} ${pair('C', 'D')} ${pair('B', 'C')} ${pair('D', 'A')}`],
  ['double unlock', '+A -A -A'],
];

function basic(): SuiteLine[] {
  const lines: SuiteLine[] = BASIC.map(([family, text]) => ({
    label: family,
    // A recursive reader waits for no reader.
    cells: COLUMNS.map((column) => written('basic', family, null, column, column !== 'rlock' || family === 'double unlock', text)),
  }));
  lines.push({
    label: 'initialize held',
    cells: COLUMNS.map((column) => {
      const { ops, locks } = program('+A', column);
      const { lock, class: name, kind } = ops[0] as VectorOp;
      return vector(
        'basic',
        'initialize held',
        null,
        column,
        true,
        [...ops, { op: 'init', lock, class: `${name}.reinit`, kind } as VectorOp],
        locks,
      );
    }),
  });
  return lines;
}

/** Rows with a column for rwlock and one for rwsem; R, W: read and write of either, M: an exclusive lock beside it. */
const MIXED: [family: string, text: string, rlockFails: boolean][] = [
  ['recursive read-lock', 'R+X1 R+X1', false],
  ['recursive read-lock #2', 'R+X1 R+X2', false],
  ['mixed read-write-lock', 'R+X1 W+X2', true],
  ['mixed write-read-lock', 'W+X1 R+X2', true],
  ['mixed read-lock/lock-write ABBA', 'R+X1 M+Y1 M-Y1 R-X1 M+Y1 W+X1 W-X1 M-Y1', true],
  ['mixed read-lock/lock-read ABBA', 'R+X1 M+Y1 M-Y1 R-X1 M+Y1 R+X1 R-X1 M-Y1', false],
  ['mixed write-lock/lock-write ABBA', 'W+X1 M+Y1 M-Y1 W-X1 M+Y1 W+X1 W-X1 M-Y1', true],
];

/** Three locks in a ring; the text gives for each event the mode of its two. */
const RINGS: [family: string, fails: boolean][] = [
  ['rlock W1R2/W2R3/W3R1', true],
  ['rlock W1W2/R2R3/W3R1', true],
  ['rlock W1W2/R2R3/R3W1', false],
  ['rlock W1R2/R2R3/W3W1', false],
];
/** The locks of each event; what the family's name leaves open. */
const RING_EVENTS: Record<string, [string, string, string]> = {
  'rlock W1R2/W2R3/W3R1': ['WX RY', 'WY RZ', 'WZ RX'],
  'rlock W1W2/R2R3/W3R1': ['WX WY', 'RY RZ', 'WZ RX'],
  'rlock W1W2/R2R3/R3W1': ['WX RY', 'RY RZ', 'WZ WX'],
  'rlock W1R2/R2R3/W3W1': ['WX WY', 'RY RZ', 'RZ WX'],
};

function ringEvent(text: string): string {
  const [a, b] = text.split(' ').map((lock) => [lock[0] === 'W' ? 'wlock' : 'rlock', `${lock[1]}1`]) as [
    [string, string],
    [string, string],
  ];
  return `${a[0]}+${a[1]} ${b[0]}+${b[1]} ${b[0]}-${b[1]} ${a[0]}-${a[1]}`;
}

/** The six orders of three events. */
const ORDERS = ['123', '132', '213', '231', '312', '321'];

function inOrder(events: readonly string[], order: string): string {
  return [...order].map((digit) => events[Number(digit) - 1]).join(' ');
}

function readWrite(): SuiteLine[] {
  const section = 'read/write mix';
  const lines: SuiteLine[] = [];
  for (const [family, text, rlockFails] of MIXED) {
    const as = (read: string, write: string, other: string): string =>
      text.replaceAll('R', read).replaceAll('W', write).replaceAll('M', other);
    const rlock = written(section, family, null, 'rlock', rlockFails, as('rlock', 'wlock', 'spin'));
    const rsem = written(section, family, null, 'rsem', true, as('rsem', 'wsem', 'mutex'));
    lines.push({ label: family, cells: [undefined, rlock, undefined, rsem] });
  }
  const cached = 'rlock+X1 spin+Y1 spin-Y1 rlock-X1 spin+Y1 rlock+X1 rlock-X1 spin-Y1 spin+Y1 wlock+X1 wlock-X1 spin-Y1';
  const family = 'chain cached mixed R-L/L-W ABBA';
  lines.push({ label: family, cells: [undefined, written(section, family, null, 'rlock', true, cached)] });
  for (const [ring, fails] of RINGS) {
    const events = (RING_EVENTS[ring] as string[]).map(ringEvent);
    for (const order of ORDERS)
      lines.push({ label: `${ring}/${order}`, cells: [undefined, written(section, ring, order, 'rlock', fails, inOrder(events, order))] });
  }
  return lines;
}

const hard = (body: string): string => `ID HE HT ${body} HX IE`;
const soft = (body: string): string => `BD ID SE ${body} SX IE BE`;
const A = '+A -A';
const B = '+B -B';
const AB = '+A +B -B -A';

/** An interrupt test for one kind of interrupt: its events. */
type IrqEvents = readonly string[];

function irqRow(family: string, order: string, columns: readonly string[], events: IrqEvents): SuiteRow {
  const cells = columns.map((column) =>
    column === '' ? undefined : written('irq', family, order, column, column !== 'rlock', inOrder(events, order)),
  );
  return { label: `${family}/${order}`, cells };
}

const SPINNING = ['spin', 'wlock', 'rlock'];
/** The first column stays free, at the width of one cell. */
const READING = ['', 'wlock', 'rlock'];

function irqs(): SuiteLine[] {
  const out: SuiteLine[] = [];
  for (const order of ['12', '21']) {
    out.push(irqRow('hard-irqs-on + irq-safe-A', order, SPINNING, [hard(A), A]));
    out.push(irqRow('soft-irqs-on + irq-safe-A', order, SPINNING, [soft(A), A]));
  }
  for (const order of ['12', '21']) out.push(irqRow('sirq-safe-A => hirqs-on', order, SPINNING, [soft(A), 'ID +A IE -A']));
  for (const order of ['12', '21']) {
    out.push(irqRow('hard-safe-A + irqs-on', order, SPINNING, [hard(A), 'ID +A IE -A']));
    out.push(irqRow('soft-safe-A + irqs-on', order, SPINNING, [soft(A), 'BD +A BE -A']));
  }
  const both = (name: string, columns: readonly string[], hardEvents: IrqEvents, softEvents: IrqEvents, dash: string): void => {
    for (const order of ORDERS) {
      out.push(irqRow(`hard${dash}${name}`, order, columns, hardEvents));
      out.push(irqRow(`soft${dash}${name}`, order, columns, softEvents));
    }
  };
  const inversion = 'wlock+A +B -B wlock-A';
  const readerA = 'rlock+A rlock-A';
  const nested = 'spin+B +A -A spin-B';
  const nestedRw = 'wlock+B +A -A wlock-B';
  const readThenSpin = '+A spin+B spin-B -A';
  const off = (body: string): [string, string] => [`ID ${body} IE`, `BD ${body} BE`];
  const [ab, abSoft] = off(AB);
  const [inv, invSoft] = off(inversion);
  const [w, wSoft] = off('wlock+A wlock-A');
  const [n, nSoft] = off(nested);
  const [nr, nrSoft] = off(nestedRw);
  both('safe-A + unsafe-B #1', SPINNING, [AB, B, hard(A)], [AB, B, soft(A)], '-');
  both('safe-A + unsafe-B #2', SPINNING, [ab, B, hard(A)], [abSoft, B, soft(A)], '-');
  both('irq lock-inversion', SPINNING, [inv, B, hard(readerA)], [invSoft, B, soft(readerA)], '-');
  both('irq read-recursion', READING, [w, readerA, hard(readThenSpin)], [wSoft, readerA, soft(readThenSpin)], '-');
  const spinB = 'spin+B spin-B';
  both('irq read-recursion #2', READING, [n, readerA, hard(spinB)], [nSoft, readerA, soft(spinB)], '-');
  const readB = 'rlock+B rlock-B';
  both('irq read-recursion #3', READING, [nr, readerA, hard(readB)], [nrSoft, readerA, soft(readB)], '-');
  return out;
}

function wound(): SuiteLine[] {
  const rows = (list: typeof WW_ROWS): SuiteRow[] =>
    list.map(([family, cases]) => ({
      label: family,
      cells: cases.map(([variant, fails, ops]) => vector('ww', family, variant, 'ww', fails, ops)),
    }));
  const nest: [string, boolean, string][] = [
    ['spinlock nest unlocked', true, 'spin+A^ww_o spin-A'],
    ['spinlock nest test', false, 'spin+X1 spin+Y1^spin_X1 spin+A spin+Y2^spin_X1 spin-A spin-Y2 spin-Y1 spin-X1'],
  ];
  const line = `  ${'-'.repeat(53)}`;
  return [
    RULE,
    '  | Wound/wait tests |',
    '  ---------------------',
    ...rows(WW_ROWS),
    ...nest.map(([family, fails, text]) => ({ label: family, cells: [written('ww', family, null, 'spin', fails, text)] })),
    line,
    `${' '.repeat(33)}|block | try  |context|`,
    line,
    ...rows(WW_MIXED),
  ];
}

/** Where the wait tests lock: the text around the lock, and which of rcu, raw, spin, mutex must not be taken there. */
const WAIT: [family: string, before: string, after: string, fails: string][] = [
  ['in hardirq context', 'ID HE HT', 'HX IE', 'mutex'],
  ['in hardirq context (not threaded)', 'ID HE', 'HX IE', 'spin mutex'],
  ['in softirq context', 'BD ID SE', 'SX IE BE', 'mutex'],
  ['in RCU context', 'rcu+', 'rcu-', 'mutex'],
  ['in RCU-bh context', 'rcu_bh+', 'rcu_bh-', 'mutex'],
  ['in RCU-sched context', 'rcu_sched+', 'rcu_sched-', 'spin mutex'],
  ['in RAW_SPINLOCK context', 'raw+A', 'raw-A', 'spin mutex'],
  ['in SPINLOCK context', 'spin+A', 'spin-A', 'mutex'],
  ['in MUTEX context', 'mutex+A', 'mutex-A', ''],
];

function waits(): SuiteLine[] {
  return WAIT.map(([family, before, after, fails]) => ({
    label: family,
    cells: ['rcu', 'raw', 'spin', 'mutex'].map((type) => {
      const inner = type === 'rcu' ? 'rcu+ rcu-' : `${type}+B ${type}-B`;
      const name = type === 'raw' ? 'raw_spin' : type;
      return written('wait context', family, null, type, fails.includes(type), `${before} ${inner} ${after}`, name);
    }),
  }));
}

const QUEUED: [family: string, fails: boolean, text: string][] = [
  ['hardirq read-lock/lock-read', true, `${hard('rlock+A wlock+B wlock-B rlock-A')} ID wlock+B qlock+A qlock-A wlock-B IE`],
  ['hardirq lock-read/read-lock', false, `${hard('wlock+B rlock+A rlock-A wlock-B')} ID qlock+A wlock+B wlock-B qlock-A IE`],
  ['hardirq inversion', true, `${hard('wlock+B wlock-B')} ID wlock+B qlock+A qlock-A wlock-B IE qlock+A qlock-A`],
];

const LOCAL_A = 'local+A local-A';
const SPIN_LOCAL = 'ID spin+A local+A local-A spin-A IE';
const LOCAL: [family: string, type: string, fails: boolean, text: string][] = [
  ['local_lock inversion  2', 'local_lock', false, `${LOCAL_A} ${hard('spin+A spin-A')} ${SPIN_LOCAL}`],
  ['local_lock inversion 3A', 'local_lock', false, `local+A spin+B spin-B local-A ${hard('spin+A spin-A')} ${SPIN_LOCAL}`],
  [
    'local_lock inversion 3B',
    'local_lock',
    true,
    `local+A spin+B spin-B local-A ${hard('spin+A spin-A')} ${SPIN_LOCAL} ID spin+A spin+B spin-B spin-A ID`,
  ],
  [
    'hardirq_unsafe_softirq_safe',
    'mixed',
    true,
    `mutex+A ID spin+C spin-C IE mutex-A ${hard('spin+A spin-A')} ID spin+A spin+B spin-B spin-A IE ID spin+B spin+C spin-C spin-B IE ${soft('spin+D spin-D')} BD spin+D spin-D BE ID spin+C spin+D spin-D spin-C IE`,
  ],
];

function reclaim(): SuiteLine[] {
  const acquire: VectorOp = { op: 'fs_reclaim_acquire', gfp: 'KERNEL', uses_map: true };
  const release: VectorOp = { op: 'fs_reclaim_release', gfp: 'KERNEL', uses_map: true };
  const alloc = (gfp: string, uses: boolean): VectorOp => ({ op: 'might_alloc', gfp, uses_map: uses });
  const row = (family: string, fails: boolean, middle: VectorOp[]): SuiteRow => ({
    label: family,
    cells: [vector('fs_reclaim', family, null, 'fs_reclaim', fails, [acquire, ...middle, release], {})],
  });
  return [
    row('correct nesting', false, [alloc('NOFS', false)]),
    row('wrong nesting', true, [alloc('KERNEL', true)]),
    row('protected nesting', false, [{ op: 'nofs_save' }, alloc('KERNEL', false), { op: 'nofs_restore' }]),
  ];
}

/** The whole table, line by line. */
export function suite(): SuiteLine[] {
  const single = (section: string, family: string, type: string, fails: boolean, text: string): SuiteRow => ({
    label: family,
    cells: [written(section, family, null, type, fails, text)],
  });
  return [
    '------------------------',
    '| Locking API testsuite:',
    '-'.repeat(76),
    `${' '.repeat(33)}| spin |wlock |rlock |mutex | wsem | rsem |rtmutex`,
    RULE,
    ...basic(),
    RULE,
    ...readWrite(),
    RULE,
    ...irqs(),
    ...wound(),
    RULE,
    '  | queued read lock tests |',
    '  ---------------------------',
    ...QUEUED.map(([family, fails, text]) => single('queued read lock', family, 'rwlock', fails, text)),
    '  --------------------',
    '  | fs_reclaim tests |',
    '  --------------------',
    ...reclaim(),
    RULE,
    '  | wait context tests |',
    RULE,
    `${' '.repeat(33)}| rcu  | raw  | spin |mutex |`,
    RULE,
    ...waits(),
    RULE,
    '  | local_lock tests |',
    '  ---------------------',
    ...LOCAL.map(([family, type, fails, text]) => single(type === 'mixed' ? 'special' : 'local_lock', family, type, fails, text)),
  ];
}
