/**
 * Writes what emulated tasks do as JSON Lines, in the words of recorded kernel traces: one event a line with the task,
 * the function, what happened to which object, and the value after it.
 *
 * Only one thread may play the tasks, and the machine must have been booted with `traceCalls`.
 */

import { MT_FLAGS_LOCK_EXTERN, MT_FLAGS_LOCK_MASK, maple_tree } from '../../kernel/include/maple_tree.ts';
import { mm_struct } from '../../kernel/include/mm_types.ts';
import { lock_is_held } from '../../kernel/locking/lockdep/held.ts';
import { rw_semaphore } from '../../kernel/locking/rwsem.ts';
import { spinlock_t } from '../../kernel/locking/spinlock.ts';
import { KSM, ksm, ksm_mm_head, ksm_mm_slot, next_slot } from '../../kernel/mm/ksm-types.ts';
import * as V from '../../kernel/trace/vocabulary.ts';
import { listen } from '../../machine/announce.ts';
import { addressOf, containerOf, get } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { i32 } from '../../machine/memory.ts';
import { currentFunction, functionInfo, listenToCalls } from '../../machine/shadow-stack.ts';
import { AREA_INDEX, currentArea } from '../../machine/task-area.ts';
import { objectIds } from './object-ids.ts';

/** One line of a trace. */
export interface TraceEvent {
  /** Sequence number. */
  t: number;
  task: string;
  fn: string;
  ev: string;
  obj: string;
  mm?: string;
  id?: string;
  val?: number | string | string[];
  /** 1: core sequence, 2: detail. */
  lvl: 1 | 2;
  [more: string]: unknown;
}

/** Functions that count as detail in recorded traces. */
const DETAIL =
  /^(mas_|madvise_|anon_vma_|unlink_anon|remove_vma|__put_anon|copy_mm|zap_|do_exit|handle_mm|do_anonymous|copy_page|split_vma|vma_|mm_init|pte_|change_)/;
const LOCK_EVENTS: ReadonlySet<number> = new Set([V.EV_LOCK, V.EV_UNLOCK, V.EV_RLOCK, V.EV_RUNLOCK]);
/** Our own events, which no kernel trace has. */
const OURS: ReadonlySet<number> = new Set([V.EV_KSM_EXIT, V.EV_VISIT, V.EV_EXITED, V.EV_PASS, V.EV_REPORT_LOGGED]);

/** Collects the events of one run. */
export class TraceWriter {
  readonly events: TraceEvent[] = [];
  readonly #taskNames: readonly string[];
  readonly #mms = new Map<number, string>();
  readonly #items = objectIds('R');
  readonly #pageTables = objectIds('PT');
  readonly #anonVmas = objectIds('AV');
  readonly #pages = objectIds('P');
  readonly #stableNodes = objectIds('S');
  #nextMm = '';

  /** @param taskNames  names by task index */
  constructor(taskNames: readonly string[]) {
    this.#taskNames = taskNames;
  }

  /** From now on `mm` is called `label`, and its events are written. */
  nameMm(mm: Ptr<'mm_struct'>, label: string): void {
    this.#mms.set(mm, label);
    this.mark(`mm registered: mm_users=${get(mm, mm_struct.mm_users)} mm_count=${get(mm, mm_struct.mm_count)}`, label);
  }

  /** The next mm that is made will be called `label`. */
  nameNextMm(label: string): void {
    this.#nextMm = label;
  }

  /** Begins to listen. */
  start(): void {
    listen((event, object, address, value) => this.#hear(event, object, address, value), V.EVENT_NAMES.keys());
    listenToCalls((id, entered) => {
      const fn = functionInfo(id)?.name ?? '';
      this.#put(entered ? 'enter' : 'leave', '', DETAIL.test(fn) ? 2 : 1, fn);
    });
  }

  stop(): void {
    listen(() => {}, []);
    listenToCalls(() => {});
  }

  /** A remark of the harness. */
  mark(note: string, mm?: string): void {
    this.#put('mark', mm === undefined ? '' : 'mm', 1, '', mm === undefined ? { note } : { mm, note });
  }

  #put(ev: string, obj: string, lvl: 1 | 2, fn: string, more: Partial<TraceEvent> = {}): void {
    const task = this.#taskNames[i32[(currentArea() + AREA_INDEX) >> 2] as number] ?? '?';
    this.events.push({ t: this.events.length, task, fn, ev, obj, ...more, lvl });
  }

  #hear(event: number, object: number, address: number, value: number): void {
    if (OURS.has(event)) return;
    const ev = V.EVENT_NAMES[event] as string;
    const fn = functionInfo(currentFunction())?.name ?? '';
    if (LOCK_EVENTS.has(event)) {
      this.#lock(ev, object, address, fn);
      return;
    }
    const obj = V.OBJECT_NAMES[object] as string;
    switch (object) {
      case V.OBJ_RMAP_ITEM: {
        const more = event === V.EV_CHECKSUM ? { val: value === 1 ? 'changed' : 'same' } : {};
        this.#put(ev, obj, 1, fn, { id: this.#items.of(address, event === V.EV_FREE), ...more });
        return;
      }
      case V.OBJ_SCAN_CURSOR:
        this.#put(ev, obj, 1, fn, { val: address === 0 ? 'head' : this.#label(address) });
        return;
      case V.OBJ_KSM_MM_LIST:
        if (event === V.EV_LIST_STATE) {
          this.#put(ev, obj, 1, fn, this.#listState());
          return;
        }
        break;
      case V.OBJ_MM_MT:
        this.#tree(event, ev, obj, fn, address, value);
        return;
      case V.OBJ_MA_ROOT:
      case V.OBJ_MAPLE_NODES: {
        const mm = this.#mms.get(treeOwner(address));
        if (mm !== undefined) this.#put(ev, obj, 1, fn, { mm, ...(event === V.EV_SET ? { val: 0 } : {}) });
        return;
      }
      case V.OBJ_KSM_RMAP_ITEMS:
      case V.OBJ_KSM_PAGES_SHARED:
      case V.OBJ_KSM_PAGES_SHARING:
      case V.OBJ_KSM_PAGES_UNSHARED:
        this.#put(ev, obj, 1, fn, { val: value });
        return;
      case V.OBJ_RMAP_ITEM_STABLE:
      case V.OBJ_RMAP_ITEM_UNSTABLE:
      case V.OBJ_UNSTABLE_TREE:
      case V.OBJ_STABLE_NODE_HLIST:
      case V.OBJ_STABLE_NODE:
      case V.OBJ_STABLE_TREE:
      case V.OBJ_PAGE:
      case V.OBJ_PAGE_STABLE_NODE:
      case V.OBJ_ANON_VMA_REF:
        this.#merging(event, object, ev, obj, fn, address, value);
        return;
      case V.OBJ_MM:
        if (event === V.EV_ALLOC && this.#nextMm !== '') {
          this.#mms.set(address, this.#nextMm);
          this.#nextMm = '';
        }
        break;
    }
    if (address === 0) {
      this.#put(ev, obj, 1, fn, event === V.EV_SET ? { val: value } : {});
      return;
    }
    const mm = this.#mms.get(address);
    if (mm === undefined || object === V.OBJ_OOM_VICTIM) return;
    this.#put(ev, obj, 1, fn, { mm, ...valueFields(event, object, value) });
    if (event === V.EV_FREE && object === V.OBJ_MM) this.#mms.delete(address);
  }

  /** What only merging does: events of items, stable nodes, pages and anon_vmas. */
  #merging(event: number, object: number, ev: string, obj: string, fn: string, address: number, value: number): void {
    switch (object) {
      case V.OBJ_PAGE:
        // A freed page has no line of its own; the next one at its address is another.
        this.#pages.of(address, true);
        return;
      case V.OBJ_PAGE_STABLE_NODE:
        this.#put(ev, obj, 1, fn, { id: this.#pages.of(address, false), val: value });
        return;
      case V.OBJ_ANON_VMA_REF:
        this.#put(ev, obj, 1, fn, { id: this.#anonVmas.of(address, value === 0), val: value });
        return;
      case V.OBJ_STABLE_NODE:
      case V.OBJ_STABLE_TREE:
        this.#put(ev, obj, 1, fn, { id: this.#stableNodes.of(address, event === V.EV_FREE) });
        return;
      case V.OBJ_STABLE_NODE_HLIST:
        this.#put(ev, obj, 1, fn, { id: this.#items.of(address, false), val: value });
        return;
      default:
        this.#put(ev, obj, 1, fn, address === 0 ? {} : { id: this.#items.of(address, false) });
    }
  }

  #lock(ev: string, object: number, map: number, fn: string): void {
    if (object === V.OBJ_MMAP_LOCK) {
      const sem = containerOf(map as Ptr<'lockdep_map'>, rw_semaphore.dep_map);
      const mm = this.#mms.get(containerOf(sem, mm_struct.mmap_lock));
      if (mm !== undefined) this.#put(ev, 'mmap_lock', 1, fn, { mm });
      return;
    }
    if (object === V.OBJ_PTL) {
      this.#put(ev, 'ptl', 2, fn, { id: this.#pageTables.of(map, false) });
      return;
    }
    if (object === V.OBJ_ANON_VMA) {
      this.#put(ev, 'anon_vma', 2, fn, { id: this.#anonVmas.of(map, false) });
      return;
    }
    const more = object === V.OBJ_PAGE_LOCK ? { id: this.#pages.of(map, false) } : {};
    this.#put(ev, V.OBJECT_NAMES[object] as string, 1, fn, more);
  }

  #tree(event: number, ev: string, obj: string, fn: string, tree: number, flags: number): void {
    const mm = this.#label(treeOwner(tree));
    if (mm === '?') return;
    if (event === V.EV_TREE_DESTROYED) {
      this.#put(ev, obj, 1, fn, { mm, val: 0, note: `ma_flags 0x${flags.toString(16)} -> 0` });
      return;
    }
    const t = tree as Ptr<'maple_tree'>;
    const external = (flags & MT_FLAGS_LOCK_MASK) === MT_FLAGS_LOCK_EXTERN;
    const map = external ? get(t, maple_tree.ma_external_lock) : addressOf(addressOf(t, maple_tree.ma_lock), spinlock_t.dep_map);
    const lock = external ? `external lock ${lock_is_held(map) ? '' : 'not '}held` : 'no external lock: the spinlock in the tree is tested';
    this.#put(ev, obj, 1, fn, { mm, ma_flags: `0x${flags.toString(16)}`, root: get(t, maple_tree.ma_root) === 0 ? 0 : 1, lock });
  }

  #listState(): Partial<TraceEvent> {
    const val: string[] = [];
    for (let slot = next_slot(ksm_mm_head); slot !== ksm_mm_head; slot = next_slot(slot)) val.push(this.#label(get(slot, ksm_mm_slot.mm)));
    const cursor = get(ksm, KSM.scan_mm_slot);
    return { val, cursor: cursor === ksm_mm_head ? 'head' : this.#label(get(cursor, ksm_mm_slot.mm)) };
  }

  #label(mm: number): string {
    return this.#mms.get(mm) ?? '?';
  }
}

/** The mm of a tree. */
function treeOwner(tree: number): number {
  return containerOf(tree as Ptr<'maple_tree'>, mm_struct.mm_mt);
}

/** The value fields of an event on an mm. */
function valueFields(event: number, object: number, value: number): Partial<TraceEvent> {
  switch (event) {
    case V.EV_INC:
    case V.EV_DEC:
    case V.EV_INIT:
      return object === V.OBJ_MM_COUNT ? { val: value, logical: value } : { val: value };
    case V.EV_TEST_EXIT:
    case V.EV_TEST_FLAG:
    case V.EV_HASH_LOOKUP:
    case V.EV_CALL:
      return { val: value };
    default:
      return {};
  }
}
