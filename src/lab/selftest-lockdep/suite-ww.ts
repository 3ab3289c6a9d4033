/** The wound/wait part of the suite: contexts and what happens when they are misused. */
import type { VectorLock, VectorOp } from './vector.ts';

const WW: VectorLock = { class: 'ww_mutex', kind: 'ww', wait_outer: 0, wait_inner: 4 };
const CTX: VectorLock = { class: 'ww_acquire', kind: 'ww_ctx', wait_outer: 0, wait_inner: 0 };

const SPIN = 'spin_A';

/** The locks of this part; each case uses some. */
export const WW_LOCKS: Record<string, VectorLock> = {
  ww_o: WW,
  ww_o2: WW,
  ww_o3: WW,
  ctx_t: CTX,
  ctx_t2: CTX,
  [SPIN]: { class: 'spin_A', kind: 'spin', wait_outer: 0, wait_inner: 3 },
};

const ww = { class: 'ww_mutex', kind: 'ww' };
const init = (ctx = 'ctx_t'): VectorOp => ({ op: 'ww_ctx_init', ctx, class: 'ww_acquire' });
const done: VectorOp = { op: 'ww_ctx_done', ctx: 'ctx_t' };
const fini: VectorOp = { op: 'ww_ctx_fini', ctx: 'ctx_t' };
const wwLock = (lock: string, ctx: string | null, returns: number | string = 0): VectorOp => ({ op: 'ww_lock', lock, ...ww, ctx, returns });
const slow = (lock: string): VectorOp => ({ op: 'ww_lock', lock, ...ww, ctx: 'ctx_t', slow: true, returns: 0 });
const wwTry = (lock: string, returns: number): VectorOp => ({ op: 'ww_trylock', lock, ...ww, ctx: null, returns });
const wwUnlock = (lock: string): VectorOp => ({ op: 'ww_unlock', lock, ...ww });
const poke = (target: string, field: string, value: string | number | null): VectorOp => ({ op: 'poke', target, field, value });
const older = (target: string, add: number): VectorOp => ({ op: 'poke', target, field: 'stamp', add });
const copy: VectorOp = { op: 'ctx_copy', from: 'ctx_t', to: 'ctx_t2' };
const asMutex = (lock: string): VectorOp => ({ op: 'lock', lock, ...ww, read: 0, as: 'mutex' });
const asMutexUnlock = (lock: string): VectorOp => ({ op: 'unlock', lock, ...ww, as: 'mutex' });
const mapRelease = (lock: string): VectorOp => ({ op: 'map_release', lock, ...ww });
const mapAcquire = (lock: string): VectorOp => ({ op: 'map_acquire', lock, ...ww, read: 0, try: 1 });
const spinA: VectorOp[] = [
  { op: 'lock', lock: 'spin_A', class: 'spin_A', kind: 'spin', read: 0 },
  { op: 'unlock', lock: 'spin_A', class: 'spin_A', kind: 'spin' },
];
const [spinLock, spinUnlock] = spinA as [VectorOp, VectorOp];
const flavoured = (flavour: string): VectorOp => ({ ...asMutex('ww_o'), flavour, returns: 0 }) as VectorOp;

/** Somebody with an older context holds ww_o2 (as far as the lock knows; the validator does not see it). */
const held = (lock: string): VectorOp[] => [asMutex(lock), mapRelease(lock), poke(lock, 'ctx', 'ctx_t2')];
/** Then this context takes ww_o and must give way on ww_o2. */
const backedOff: VectorOp[] = [init(), copy, older('ctx_t2', -1), wwLock('ww_o', 'ctx_t'), wwLock('ww_o2', 'ctx_t', 'EDEADLK')];
/** The other one lets ww_o2 go. */
const letGo: VectorOp[] = [poke('ww_o2', 'ctx', null), mapAcquire('ww_o2'), asMutexUnlock('ww_o2')];

/** Cases of a row: what they do, and whether a report is expected. */
export type WwRow = [family: string, cases: [variant: string, fails: boolean, ops: VectorOp[]][]];

/** Rows with numbered cases. */
export const WW_ROWS: WwRow[] = [
  [
    'ww api failures',
    [
      [
        '1',
        false,
        [
          init(),
          older('ctx_t', 1),
          wwLock('ww_o', 'ctx_t'),
          wwLock('ww_o', 'ctx_t', 'EALREADY'),
          wwTry('ww_o', 0),
          copy,
          older('ctx_t2', 1),
          wwLock('ww_o', 'ctx_t2', 'EDEADLK'),
          wwUnlock('ww_o'),
          wwTry('ww_o', 1),
          wwUnlock('ww_o'),
        ],
      ],
      [
        '2',
        false,
        [
          init(),
          poke('ww_o', 'ctx', 'bogus'),
          asMutex('ww_o'),
          asMutexUnlock('ww_o'),
          flavoured('interruptible'),
          asMutexUnlock('ww_o'),
          flavoured('killable'),
          asMutexUnlock('ww_o'),
          { op: 'trylock', lock: 'ww_o', ...ww, read: 0, as: 'mutex', returns: 1 },
          asMutexUnlock('ww_o'),
          asMutex('ww_o'),
          { op: 'trylock', lock: 'ww_o', ...ww, read: 0, as: 'mutex', returns: 0 },
          asMutexUnlock('ww_o'),
          { ...asMutex('ww_o'), nest: 'ctx_t' },
          asMutexUnlock('ww_o'),
        ],
      ],
      // Slow, although nothing was backed off from.
      ['3', true, [init(), slow('ww_o')]],
    ],
  ],
  [
    'ww contexts mixing',
    [
      // Two contexts open in one task.
      ['1', true, [init(), init('ctx_t2'), wwLock('ww_o', 'ctx_t'), wwLock('ww_o2', 'ctx_t2')]],
      ['2', true, [init(), poke('ctx_t', 'class', null), wwLock('ww_o', 'ctx_t')]],
    ],
  ],
  [
    'finishing ww context',
    [
      ['1', true, [init(), done, done, fini]],
      // Closed twice.
      ['2', true, [init(), done, fini, fini]],
      ['3', true, [init(), wwLock('ww_o', 'ctx_t'), done, fini]],
      ['4', true, [init(), done, wwLock('ww_o', 'ctx_t')]],
    ],
  ],
  [
    'locking mismatches',
    [
      ['1', true, [wwLock('ww_o', null), wwUnlock('ww_o'), wwUnlock('ww_o')]],
      ['2', true, [init(), wwLock('ww_o', 'ctx_t'), poke('ctx_t', 'acquired', 0), wwUnlock('ww_o'), fini]],
      // The lock still names a context of the past.
      ['3', true, [init(), poke('ww_o', 'ctx', 'ctx_t2'), wwLock('ww_o', 'ctx_t')]],
    ],
  ],
  [
    'EDEADLK handling',
    [
      ['1', false, [...held('ww_o2'), ...backedOff, ...letGo, wwUnlock('ww_o'), wwLock('ww_o2', 'ctx_t')]],
      ['2', false, [...held('ww_o2'), ...backedOff, ...letGo, wwUnlock('ww_o'), slow('ww_o2')]],
      [
        '3',
        true,
        [asMutex('ww_o2'), poke('ww_o2', 'ctx', 'ctx_t2'), mapRelease('ww_o2'), ...backedOff, ...letGo, wwLock('ww_o2', 'ctx_t')],
      ],
      ['4', true, [...held('ww_o2'), ...backedOff, ...letGo, slow('ww_o2')]],
      ['5', true, [...held('ww_o2'), ...backedOff, wwLock('ww_o3', 'ctx_t')]],
      ['6', true, [...held('ww_o2'), ...backedOff, slow('ww_o3')]],
      // Backing off from a second lock before the first was taken.
      ['7', true, [...held('ww_o2'), ...held('ww_o3'), ...backedOff, wwLock('ww_o3', 'ctx_t', 'EDEADLK')]],
      ['8', true, [...held('ww_o2'), ...held('ww_o3'), ...backedOff, { ...slow('ww_o3'), returns: 'EDEADLK' }]],
      ['9', true, [...held('ww_o2'), ...backedOff, wwUnlock('ww_o'), wwLock('ww_o3', 'ctx_t')]],
      ['10', true, [...held('ww_o2'), ...backedOff, wwUnlock('ww_o'), slow('ww_o3')]],
    ],
  ],
];

/** How the second lock of a mixed row is taken, and given up again where the row does so. */
const second = (lock: string): Record<string, VectorOp[]> => ({
  block: [wwLock(lock, null)],
  try: [wwTry(lock, 1)],
  context: [wwLock(lock, 'ctx_t')],
});

const unlockBoth: VectorOp[] = [wwUnlock('ww_o2'), wwUnlock('ww_o')];
const two = second('ww_o2');
const one = second('ww_o');
/** Once in this order, once with the spinlock outside. */
const underSpin = (open: VectorOp[], take: VectorOp[]): VectorOp[] => [
  ...spinA,
  ...open,
  ...take,
  ...spinA,
  wwUnlock('ww_o'),
  spinLock,
  ...take,
  wwUnlock('ww_o'),
  spinUnlock,
];
const ops = (table: Record<string, VectorOp[]>, how: string): VectorOp[] => table[how] as VectorOp[];

/** Rows with a column for each way to take the second lock: block, try, context. */
export const WW_MIXED: WwRow[] = [
  [
    'context',
    [
      ['block', true, [init(), wwLock('ww_o', 'ctx_t'), ...ops(two, 'block')]],
      ['try', false, [init(), wwLock('ww_o', 'ctx_t'), ...ops(two, 'try'), ...unlockBoth]],
      ['context', false, [init(), wwLock('ww_o', 'ctx_t'), ...ops(two, 'context'), ...unlockBoth]],
    ],
  ],
  [
    'try',
    [
      ['block', true, [wwTry('ww_o', 1), ...ops(two, 'block'), ...unlockBoth]],
      ['try', false, [wwTry('ww_o', 1), ...ops(two, 'try'), ...unlockBoth]],
      ['context', true, [wwTry('ww_o', 1), init(), ...ops(two, 'context')]],
    ],
  ],
  [
    'block',
    [
      ['block', true, [wwLock('ww_o', null), ...ops(two, 'block')]],
      ['try', false, [wwLock('ww_o', null), ...ops(two, 'try'), ...unlockBoth]],
      ['context', true, [wwLock('ww_o', null), init(), ...ops(two, 'context')]],
    ],
  ],
  [
    'spinlock',
    [
      ['block', true, underSpin([], ops(one, 'block'))],
      ['try', false, underSpin([], ops(one, 'try'))],
      ['context', true, underSpin([init()], ops(one, 'context'))],
    ],
  ],
];
