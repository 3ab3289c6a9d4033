/** One of the threads of the overhead lab: answers requests until it is terminated. */
import { parentPort } from 'node:worker_threads';
import { variantLoaded } from '../../kernel/mm/ksm-user-variant.ts';
import type { KsmVariant } from '../../kernel/mm/ksm-variants.ts';
import type { Ptr } from '../../machine/layout.ts';
import { arena } from '../../machine/memory.ts';
import { setCurrent } from '../../machine/task-area.ts';
import { countLiveTask } from '../../machine/wait.ts';
import { nowNs, store, waitFor, waitForOther } from './control.ts';
import { exitExits, scanExits } from './measure-exit.ts';
import { iterate, makeNoise } from './measure-iteration.ts';
import { endOrganic, forkLives, runKsmd, toggle } from './measure-organic.ts';
import { dropProcess, makeProcess } from './process.ts';
import type { Answers, Reply, Request, Side } from './protocol.ts';
import { EXITER, SCANNER } from './protocol.ts';

let mm = 0 as Ptr<'mm_struct'>;
let side: Side = SCANNER;

/** Rounds that are timed together. */
const CHUNK = 200;
/** On a busy machine a round can take milliseconds: enough is enough. */
const PING_PONG_NS = 100e6;
const OVER = -1;

/** The scanner's side: there and back between the cores of the two threads, ns. The best chunk, because the others were disturbed. */
function ping(rounds: number): Answers['ping-pong'] {
  let best = Number.POSITIVE_INFINITY;
  const begun = nowNs();
  let start = begun;
  for (let i = 1; i <= rounds && start - begun < PING_PONG_NS; i++) {
    store('ping', i);
    waitFor('pong', i);
    if (i % CHUNK !== 0) continue;
    const now = nowNs();
    best = Math.min(best, (now - start) / CHUNK);
    start = now;
  }
  store('ping', OVER);
  waitFor('pong', OVER);
  store('ping', 0);
  store('pong', 0);
  return { ns: best };
}

/** The exiter's side. */
function pong(): Answers['ping-pong'] {
  for (let seen = 0; seen !== OVER; ) {
    seen = waitForOther('ping', seen);
    store('pong', seen);
  }
  waitFor('ping', 0);
  return { ns: 0 };
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
      return iterate(mm, request.variant as KsmVariant, request.nanoseconds, request.condition);
    case 'noise':
      return makeNoise(request.mm as Ptr<'mm_struct'>);
    case 'scan-exits':
      return scanExits(request.variant as KsmVariant);
    case 'exit-exits':
      return exitExits(request.vmas, request.places, request.loopNs);
    case 'organic-ksmd':
      return runKsmd(request.sleepMs);
    case 'organic-end':
      return endOrganic();
    case 'organic-toggle':
      return toggle(request.variant as KsmVariant, request.load, request.ready);
    case 'organic-fork':
      return forkLives(request.vmas, request.lives, request.load, request.seed, request.ready);
    case 'ping-pong':
      return side === SCANNER ? ping(request.rounds) : pong();
  }
}

/** Serves requests from now on. @throws VariantError */
export async function serveOverhead(me: Side): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('the overhead thread has no parent to answer to');
  await variantLoaded();
  side = me;
  setCurrent(me);
  // The two that meet spin for each other also between two requests; the others compete for cores only while they work.
  const always = me === SCANNER || me === EXITER;
  if (always) countLiveTask(1);
  port.on('message', (request: Request) => {
    let reply: Reply;
    if (!always) countLiveTask(1);
    try {
      reply = { answer: answer(request) };
    } catch (error) {
      const { name, message, stack } = error as Error;
      reply = { failed: { name, message, stack: stack ?? '' } };
    }
    if (!always) countLiveTask(-1);
    port.postMessage(reply);
  });
  port.postMessage({ ready: arena } satisfies Reply);
}
