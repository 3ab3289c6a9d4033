/** `ksmrace trace NAME`: a reference scenario, step by step, as JSON Lines. */
import { UsageError } from '../../lab/errors.ts';
import { configureBoot } from '../../machine/boot.ts';
import type { Command } from '../command.ts';
import { common } from '../common-options.ts';
import { EXIT_NOTHING } from '../exit-codes.ts';

export const command: Command = {
  summary: 'play one of the reference scenarios of a real kernel and print its events',
  order: 70,
  usage: 'NAME [options]',
  details:
    'One thread plays all tasks, one step after the other. The events are in the words of traces recorded on Linux 6.1 and can be compared with them line by line: a (exit without a scan), b (destroyed tree), bk (ksmd finds the slot left behind), bc (exit under the cursor), d (fork), e0 (UNMERGEABLE); with merged pages bm (destroyed tree), bo (three processes), c (unmerge pass), dw, ds (fork and write), e (UNMERGEABLE), f (write and exit).',
  positionals: ['NAME'],
  options: {
    ...common('variant'),
    vmas: { kind: 'value', value: '1|3', help: 'mergeable areas per process (default 1)' },
  },
  examples: [
    ['trace b', 'the way to the report, as the real kernel goes'],
    ['trace b --variant fixed --vmas 3', 'the same with the patch and three areas'],
  ],
  async run(args, out) {
    const vmas = args.choice('vmas', ['1', '3'], '1') === '3' ? 3 : 1;
    const variant = args.choice('variant', ['unfixed', 'fixed', 'both', 'linked-list'], 'unfixed');
    // The machine reads its options when it is loaded: so they come first.
    configureBoot({ traceCalls: true });
    const { referenceScenarios, traceScenario } = await import('../../lab/kernel-trace/scenarios.ts');
    const name = args.positionals[0] as string;
    if (!referenceScenarios.some((scenario) => scenario.name === name)) {
      throw new UsageError(`trace ${name}: no such scenario; there are ${referenceScenarios.map((scenario) => scenario.name).join(', ')}`);
    }
    const events = traceScenario(name, vmas, variant);
    if (out.json) out.object({ events });
    else for (const event of events) out.result(JSON.stringify(event));
    return EXIT_NOTHING;
  },
};
