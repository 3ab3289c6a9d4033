/** What a page is, by its mapping (include/linux/page-flags.h, include/linux/ksm.h, Linux 6.1); inlined, as there. @notrace */
import { READ_ONCE } from '../../machine/door.ts';
import { NULL, type Ptr } from '../../machine/layout.ts';
import { PAGE_MAPPING_ANON, PAGE_MAPPING_KSM, page } from './mm_types.ts';

/** Anonymous memory; a KSM page is that too. */
export function PageAnon(p: Ptr<'page'>): boolean {
  return (READ_ONCE(p, page.mapping) & PAGE_MAPPING_ANON) !== 0;
}

export function PageKsm(p: Ptr<'page'>): boolean {
  return (READ_ONCE(p, page.mapping) & PAGE_MAPPING_KSM) === PAGE_MAPPING_KSM;
}

/** The stable node of a KSM page; NULL for other pages and while it has none. */
export function page_stable_node(p: Ptr<'page'>): Ptr<'ksm_stable_node'> {
  const mapping = READ_ONCE(p, page.mapping);
  return (mapping & PAGE_MAPPING_KSM) === PAGE_MAPPING_KSM ? ((mapping & ~PAGE_MAPPING_KSM) as Ptr<'ksm_stable_node'>) : NULL;
}
