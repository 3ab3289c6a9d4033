/** Time as kernel code sees it. @notrace */
import { bootOptions } from '../machine/boot.ts';

const STEPPED = bootOptions().stepped;

/** Milliseconds since the start. In a stepped run time stands still: a schedule must not depend on how fast it runs. */
export function jiffies_msecs(): number {
  return STEPPED ? 0 : performance.now();
}
