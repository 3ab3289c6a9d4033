/** The token of `replay` and `minimize`: read, and held against this ksmrace. */
import { UsageError } from '../lab/errors.ts';
import { type Code, codeHash } from '../lab/search/code-hash.ts';
import { strategyNames } from '../lab/search/strategy.ts';
import { decodeToken, type Token } from '../lab/search/token.ts';
import { type Arguments, quoted } from './arguments.ts';
import type { Output } from './output.ts';
import { MOST_DEPTH } from './search-options.ts';
import { checkSubject } from './subject-check.ts';

/** The token, its scenario's least number of tasks, and whether it is of this very code. */
export interface TokenArgument {
  readonly token: Token;
  readonly leastTasks: number;
  readonly sameCode: boolean;
}

/** @throws UsageError */
export async function tokenArgument(args: Arguments, code: Code, out: Output): Promise<TokenArgument> {
  const token = decodeToken(args.positional(0, 'TOKEN'));
  const scenario = await checkSubject(token, 'the token');
  const { variant, tasks } = token.workload;
  if (variant === 'user' && code.variantHash === undefined) {
    throw new UsageError('the token is for a variant of your own: name its module with --variant FILE');
  }
  const module = args.text('variant');
  if (variant !== 'user' && module !== undefined) {
    throw new UsageError(`--variant ${quoted(module)}: the token is for variant ${variant}, which needs no module`);
  }
  const { schedule } = token;
  if ('strategy' in schedule) {
    if (!strategyNames().includes(schedule.strategy)) {
      throw new UsageError(`the token is for strategy ${schedule.strategy}, which is none of ${strategyNames().join(', ')}`);
    }
    if (schedule.depth < 1 || schedule.depth > MOST_DEPTH) {
      throw new UsageError(`the token is for depth ${schedule.depth}, and a depth is from 1 to ${MOST_DEPTH}`);
    }
  } else {
    const stranger = schedule.find(({ task }) => task >= tasks);
    if (stranger !== undefined) throw new UsageError(`the token lets task ${stranger.task + 1} run, and has ${tasks} tasks`);
  }
  const here = codeHash(token, code);
  const sameCode = token.codeHash === here;
  if (!sameCode) {
    out.say(
      'strategy' in schedule
        ? `the token is of other code (${token.codeHash}, this is ${here}): its seed may mean another schedule here, so this is a guess from step 1 on`
        : `the token is of other code (${token.codeHash}, this is ${here}): played as far as it fits`,
    );
  }
  return { token, leastTasks: scenario.taskLimits[0], sameCode };
}
