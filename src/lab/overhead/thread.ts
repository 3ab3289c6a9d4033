/** One of the two threads of the overhead lab: answers requests until it is terminated. */
import { parentPort } from 'node:worker_threads';
import type { KsmVariant } from '../../kernel/mm/ksm-variants.ts';
import type { Ptr } from '../../machine/layout.ts';
import { arena } from '../../machine/memory.ts';
import { setCurrent } from '../../machine/task-area.ts';
import { countLiveTask } from '../../machine/wait.ts';
import { nowNs, store, waitFor } from './control.ts';
import { exitExits, scanExits } from './measure-exit.ts';
import { iterate, makeNoise } from './measure-iteration.ts';
import { organicExits, organicPasses } from './measure-organic.ts';
import { dropProcess, makeProcess } from './process.ts';
import type { Answers, Reply, Request, Side } from './protocol.ts';
import { SCANNER } from './protocol.ts';

let mm = 0 as Ptr<'mm_struct'>;
let side: Side = SCANNER;

/** Rounds that are timed together. */
const CHUNK = 200;

/** There and back between the cores of the two threads: the best chunk, because the others were disturbed. */
function pingPong(rounds: number): Answers['ping-pong'] {
  const [mine, theirs] = side === SCANNER ? (['ping', 'pong'] as const) : (['pong', 'ping'] as const);
  let ns = Number.POSITIVE_INFINITY;
  let start = nowNs();
  for (let i = 1; i <= rounds; i++) {
    if (side === SCANNER) store(mine, i);
    waitFor(theirs, i);
    if (side !== SCANNER) store(mine, i);
    if (i % CHUNK === 0) {
      const now = nowNs();
      ns = Math.min(ns, (now - start) / CHUNK);
      start = now;
    }
  }
  // Both words go back to 0 for the next time; the pinger is the last who reads.
  if (side === SCANNER) {
    store('ping', 0);
    store('pong', 0);
  } else waitFor('ping', 0);
  return { ns };
}

function answer(request: Request): Answers[keyof Answers] {
  switch (request.do) {
    case 'make':
      mm = makeProcess(request.vmas, request.condition.areas === 'mergeable');
      return { mm };
    case 'drop':
      dropProcess(mm);
      return {};
    case 'iterate':
      return iterate(request.variant as KsmVariant, request.nanoseconds, request.condition);
    case 'noise':
      return makeNoise(request.mm as Ptr<'mm_struct'>);
    case 'scan-exits':
      return scanExits(request.variant as KsmVariant);
    case 'exit-exits':
      return exitExits(request.vmas, request.places, request.loopNs);
    case 'organic-passes':
      return organicPasses(request.variant as KsmVariant);
    case 'organic-exits':
      return organicExits(request.vmas, request.milliseconds);
    case 'ping-pong':
      return pingPong(request.rounds);
  }
}

/** Serves requests from now on. */
export function serveOverhead(me: Side): void {
  const port = parentPort;
  if (port === null) throw new Error('the overhead thread has no parent to answer to');
  side = me;
  setCurrent(me);
  countLiveTask(1);
  port.on('message', (request: Request) => {
    let reply: Reply;
    try {
      reply = { answer: answer(request) };
    } catch (error) {
      const { name, message, stack } = error as Error;
      reply = { failed: { name, message, stack: stack ?? '' } };
    }
    port.postMessage(reply);
  });
  port.postMessage({ ready: arena } satisfies Reply);
}
