import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { OTHER_CONDITIONS, type OverheadOptions, runOverhead } from '../../../src/lab/overhead/lab.ts';
import { USUAL } from '../../../src/lab/overhead/result.ts';

const options: OverheadOptions = {
  vmas: [128, 256],
  variants: ['fixed'],
  baseline: 'unfixed',
  claims: ['iteration', 'exitLatency', 'throughput'],
  conditions: [USUAL],
  order: 'abba',
  minPairs: 2,
  precision: 1,
  seconds: 0.1,
  load: 'flat-out',
  seed: 1,
  boot: { arenaBytes: 32 << 20, lockdep: 'off' },
};
const go = (): boolean => false;
const quiet = (): void => {};

test('a short run of everything ends, and its parts add up', async () => {
  const { result, cells } = await runOverhead(options, go, quiet);
  expect(cells.map((c) => [c.claim, c.vmas])).toEqual([
    ['iteration', 128],
    ['iteration', 256],
    ['exitLatency', 128],
    ['exitLatency', 256],
    // Of larger processes only the smallest: most of the load would be their making.
    ['throughput', 128],
  ]);
  for (const cell of cells) {
    const pairs = cell.experiment.variants[1]?.comparison?.pairs as number;
    const measured = cell.experiment.blocks.filter((b) => b.phase === 'a/b');
    expect(pairs).toBeGreaterThanOrEqual(2);
    expect(measured.length).toBe(4 * pairs);
    expect(cell.experiment.variants.map((v) => v.blocks.length)).toEqual([2 * pairs, 2 * pairs]);
    expect(cell.experiment.aa?.pairs).toBe(2);
    for (const block of measured) expect(block.value).toBeGreaterThan(0);
  }
  expect(result).toMatchObject({ vmas: [128, 256], variants: ['unfixed', 'fixed'], baseline: 'unfixed', unfinished: false });
  expect(result.iteration.map((e) => [e.vmas, e.variant])).toEqual([
    [128, 'unfixed'],
    [128, 'fixed'],
    [256, 'unfixed'],
    [256, 'fixed'],
  ]);
  for (const e of result.exitLatency) {
    expect(e.medianUs).toBeGreaterThan(0);
    expect(e.p99Us).toBeGreaterThanOrEqual(e.medianUs);
    // What waited for the lock was part of the whole.
    expect(e.lockWaitUs).toBeLessThanOrEqual(e.p99Us);
    expect(e.inLoop).toBeGreaterThanOrEqual(0);
    expect(e.inLoop).toBeLessThanOrEqual(1);
  }
  for (const e of result.throughput) {
    expect(e.exitsPerSecond).toBeGreaterThan(0);
    expect(e.passesPerSecond).toBeGreaterThan(0);
  }
  // The passes of the organic load are compared as well, round by round.
  expect(result.throughput[1]?.passes?.pairs).toBe(result.throughput[1]?.pairs);
  if (availableParallelism() > 1) expect(result.pingPongNs).toBeGreaterThan(0);
  // Four forkers, ksmd, the toggler.
  expect(result.machine.threads).toBe(6);
});

test('unmergeable areas, cold caches and a busy counter', async () => {
  const { result, cells } = await runOverhead({ ...options, vmas: [4], claims: ['iteration'], conditions: OTHER_CONDITIONS }, go, quiet);
  expect(result.conditions.length).toBe(6);
  expect(result.iteration).toEqual([]);
  const noisy = cells.find((c) => c.condition.counter === 'noisy');
  expect(noisy?.experiment.blocks.every((b) => (b.parts?.counterWrites ?? 0) > 0 && (b.parts?.forks ?? 0) > 0)).toBe(true);
});

test('stopped: what is known by then, marked unfinished', async () => {
  let asked = 0;
  const { result, cells } = await runOverhead(options, () => ++asked > 20, quiet);
  expect(result.unfinished).toBe(true);
  expect(cells.length).toBe(1);
});

test('processes that do not fit the shared memory are told in a sentence', async () => {
  await expect(runOverhead({ ...options, vmas: [100_000], boot: { arenaBytes: 16 << 20 } }, go, quiet)).rejects.toMatchObject({
    name: 'UsageError',
    message: expect.stringMatching(/^--vmas 100000: shared memory exhausted: .* fewer VMAs/),
  });
});

test('a variant of the user that throws is told in a sentence', async () => {
  const boot = { ...options.boot, variantModule: new URL('../../fixtures/no-such-variant.mjs', import.meta.url).href };
  await expect(runOverhead({ ...options, boot }, go, quiet)).rejects.toMatchObject({ name: 'UsageError' });
});

test('planted effect: more loads per area cost more', async () => {
  const cost = async (loads: number): Promise<number> => {
    const variantModule = new URL(`../../fixtures/extra-loads.mjs?loads=${loads}`, import.meta.url).href;
    const plan = { ...options, vmas: [64], variants: ['user'], claims: ['iteration' as const], minPairs: 5, seconds: 0.2 };
    const { result } = await runOverhead({ ...plan, boot: { ...options.boot, variantModule } }, go, quiet);
    return result.iteration[1]?.ratio as number;
  };
  // An atomic load takes some 8 ns of about 110 ns per area: far apart, so that no busy machine swaps them.
  const [none, many] = [await cost(0), await cost(64)];
  expect(many).toBeGreaterThan(2 * none);
});
