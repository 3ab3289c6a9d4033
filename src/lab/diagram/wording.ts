/** How the diagram words an event, and how much the event matters. */
import { lockdep_map } from '../../kernel/locking/lockdep/types.ts';
import { EXIT_CURSOR_EMPTY, EXIT_CURSOR_ITEMS, EXIT_EASY, EXIT_MOVED, EXIT_NO_SLOT } from '../../kernel/trace/trace-ksm.ts';
import * as words from '../../kernel/trace/vocabulary.ts';
import { get } from '../../machine/door.ts';
import type { Ptr } from '../../machine/layout.ts';
import { textOf } from '../../machine/text.ts';

/** The part of a record that is worded. */
export interface Told {
  event: number;
  object: number;
  address: number;
  value: number;
}

export interface Line {
  text: string;
  /** 3: without it the story can't be followed; 2, 1: left out first when there is too much. */
  weight: 1 | 2 | 3;
}

const EXITS: Record<number, string> = {
  [EXIT_NO_SLOT]: 'no mm_slot: the scanner freed it',
  [EXIT_EASY]: 'mm_slot is freed: no rmap_items, and ksm_scan is elsewhere',
  [EXIT_MOVED]: 'mm_slot stays: it has rmap_items',
  [EXIT_CURSOR_ITEMS]: 'mm_slot stays: mm_slot == ksm_scan.mm_slot, with rmap_items',
  [EXIT_CURSOR_EMPTY]: 'mm_slot stays: mm_slot == ksm_scan.mm_slot',
};

/** A lock operation as a statement. */
function lockLine({ event, object, address }: Told): Line {
  const take = event === words.EV_LOCK || event === words.EV_RLOCK;
  const read = event === words.EV_RLOCK || event === words.EV_RUNLOCK;
  if (object === words.OBJ_MMAP_LOCK) return { text: `mmap_${read ? 'read' : 'write'}_${take ? 'lock' : 'unlock'}(mm);`, weight: 3 };
  if (object === words.OBJ_KSM_MMLIST_LOCK) return { text: `spin_${take ? 'lock' : 'unlock'}(&ksm_mmlist_lock);`, weight: 3 };
  if (object === words.OBJ_KSM_THREAD_MUTEX) return { text: `mutex_${take ? 'lock' : 'unlock'}(&ksm_thread_mutex);`, weight: 2 };
  if (object === words.OBJ_PTL || object === words.OBJ_ANON_VMA)
    return { text: `${take ? 'lock' : 'unlock'}(${words.OBJECT_NAMES[object]});`, weight: 1 };
  const name = textOf(get(address as Ptr<'lockdep_map'>, lockdep_map.name));
  const mode = read ? '_read' : '';
  return { text: `${take ? 'lock' : 'unlock'}${mode}(${name});`, weight: 2 };
}

/** A reference count with the value after the step. */
function countLine({ event, object, value }: Told): Line | undefined {
  const name =
    object === words.OBJ_MM_USERS || object === words.OBJ_MM_COUNT ? `mm->${words.OBJECT_NAMES[object]}` : words.OBJECT_NAMES[object];
  const heavy = object === words.OBJ_MM_USERS || object === words.OBJ_MM_COUNT;
  const sign = event === words.EV_INC ? '++' : event === words.EV_DEC ? '--' : ' =';
  return { text: event === words.EV_INIT ? `${name} = ${value};` : `${name}${sign};  now ${value}`, weight: heavy ? 2 : 1 };
}

/** The line for an event, or nothing when it tells nothing to a reader. */
export function wordEvent(told: Told): Line | undefined {
  const { event, object, address, value } = told;
  switch (event) {
    case words.EV_LOCK:
    case words.EV_UNLOCK:
    case words.EV_RLOCK:
    case words.EV_RUNLOCK:
      return lockLine(told);
    case words.EV_INC:
    case words.EV_DEC:
    case words.EV_INIT:
      return countLine(told);
    case words.EV_SET:
      if (object === words.OBJ_SCAN_CURSOR)
        return { text: address === 0 ? 'ksm_scan.mm_slot = &ksm_mm_head;' : 'ksm_scan.mm_slot is set', weight: 3 };
      if (object === words.OBJ_MA_ROOT) return { text: 'mt->ma_root = NULL;', weight: 2 };
      return { text: `${words.OBJECT_NAMES[object]} = ${value};`, weight: 1 };
    case words.EV_TEST_EXIT:
      return { text: `ksm_test_exit(mm);  mm_users is ${value}`, weight: 2 };
    case words.EV_LIST_MOVE:
      return { text: 'mm_slot moves behind ksm_scan.mm_slot', weight: 2 };
    case words.EV_LIST_DEL:
      return { text: 'mm_slot leaves the list', weight: 2 };
    case words.EV_SET_FLAG:
    case words.EV_CLEAR_FLAG:
      return { text: `${event === words.EV_SET_FLAG ? 'set' : 'clear'} ${words.OBJECT_NAMES[object]}`, weight: 1 };
    case words.EV_KSM_EXIT:
      return { text: EXITS[value] ?? `outcome ${value}`, weight: 3 };
    case words.EV_TREE_DESTROYED:
      return { text: 'mt->ma_flags = 0;', weight: 3 };
    case words.EV_ROOT_DEREF:
      // The flags say which lock the validator asks for; without them it is the tree's own.
      if (value === 0) return { text: 'rcu_dereference_check(mt->ma_root), ma_flags is 0', weight: 3 };
      return { text: 'rcu_dereference_check(mt->ma_root)', weight: 1 };
    case words.EV_FREE:
      if (object === words.OBJ_MAPLE_NODES) return { text: 'free all maple tree nodes', weight: 2 };
      if (object === words.OBJ_MM || object === words.OBJ_MM_SLOT) return { text: `free ${words.OBJECT_NAMES[object]}`, weight: 2 };
      return undefined;
    default:
      return undefined;
  }
}
