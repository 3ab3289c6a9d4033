/** `ksmrace scenarios`: what can be run, and in which variants. */
import { scenarios as described, type ScenarioInfo } from '../../kernel/scenarios/list.ts';
import { configureBoot } from '../../machine/boot.ts';
import type { Command } from '../command.ts';
import { EXIT_NOTHING } from '../exit-codes.ts';
import { table } from '../output.ts';

/** Those with a description, and after them the small ones. */
async function allScenarios(): Promise<ScenarioInfo[]> {
  // Scenarios are kernel code, and that needs a memory to stand in.
  configureBoot({ arenaBytes: 32 << 20, lockdep: 'off' });
  const { scenarios } = await import('../../kernel/scenarios/index.ts');
  const others = scenarios.filter(({ name }) => !described.some((info) => info.name === name));
  return [
    ...described,
    ...others.map((scenario): ScenarioInfo => {
      const [variant] = scenario.variants as [string];
      const tasks = scenario.tasks({ ...scenario.defaults, variant, tasks: scenario.taskLimits[1] });
      return {
        name: scenario.name,
        summary: scenario.summary,
        tasks: tasks.map(({ name }) => ({ name, does: '' })),
        variants: scenario.variants.map((name) => ({ name, does: '' })),
        invariants: [],
      };
    }),
  ];
}

export const command: Command = {
  summary: 'list scenarios, their tasks and variants',
  order: 90,
  options: {},
  examples: [
    ['scenarios', 'shows them all'],
    ['scenarios --json', 'the same for a program'],
  ],
  async run(_args, out) {
    const all = await allScenarios();
    out.object({ scenarios: all });
    if (out.json) return EXIT_NOTHING;
    for (const scenario of all) {
      out.result(`${out.style('bold', scenario.name)}: ${scenario.summary}`);
      out.result(table(scenario.tasks.map((task) => ['  task', task.name, task.does])));
      out.result(table(scenario.variants.map((variant) => ['  variant', variant.name, variant.does])));
      for (const invariant of scenario.invariants) out.result(`  always: ${invariant}`);
    }
    return EXIT_NOTHING;
  },
};
