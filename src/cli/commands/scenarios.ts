/** `ksmrace scenarios`: what can be run, and in which variants. */
import { scenarios } from '../../kernel/scenarios/list.ts';
import type { Command } from '../command.ts';
import { EXIT_NOTHING } from '../exit-codes.ts';
import { table } from '../output.ts';

export const command: Command = {
  summary: 'list scenarios, their tasks and variants',
  order: 90,
  options: {},
  examples: [
    ['scenarios', 'shows them all'],
    ['scenarios --json', 'the same for a program'],
  ],
  async run(_args, out) {
    out.object({ scenarios });
    if (out.json) return EXIT_NOTHING;
    for (const scenario of scenarios) {
      out.result(`${out.style('bold', scenario.name)}: ${scenario.summary}`);
      out.result(table(scenario.tasks.map((task) => ['  task', task.name, task.does])));
      out.result(table(scenario.variants.map((variant) => ['  variant', variant.name, variant.does])));
      for (const invariant of scenario.invariants) out.result(`  always: ${invariant}`);
    }
    return EXIT_NOTHING;
  },
};
