import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { watchMachine } from '../../../src/lab/machine-state.ts';
import { type ExperimentPlan, type Instrument, runExperiment } from '../../../src/lab/overhead/experiment.ts';
import { writeOverhead } from '../../../src/lab/overhead/files.ts';
import { type Cell, type Condition, overheadResult, USUAL } from '../../../src/lab/overhead/result.ts';
import { intervalPlot, overheadText } from '../../../src/lab/overhead/text-report.ts';
import { randomNormal, seededRandom } from '../../../src/lab/stats/random.ts';

const plan: ExperimentPlan = {
  variants: ['unfixed', 'fixed'],
  baseline: 'unfixed',
  order: 'abba',
  minPairs: 30,
  precision: 0.05,
  seconds: 1,
  seed: 1,
};

async function cell(claim: Cell['claim'], vmas: number, effect: number, condition: Condition = USUAL): Promise<Cell> {
  const random = seededRandom(vmas);
  const instrument: Instrument = async (variant) => {
    const value = (variant === 'fixed' ? effect : 1) * 10 * (1 + 0.01 * randomNormal(random));
    const samples = Array.from({ length: 20 }, () => value * (1 + random() ** 8));
    return {
      value,
      samples,
      sampleParts: { lockWaitUs: samples.map((x) => x / 2) },
      parts: {
        lockWaitUs: value / 2,
        scannerLeavesUs: value / 4,
        inLoop: 1,
        raced: vmas > 1 ? 1 : 0.5,
        exitsPerSecond: 1e6 / value,
        // The planted effect the other way round: what helps exits may cost passes.
        passesPerSecond: 100 * (variant === 'fixed' ? effect : 1),
      },
    };
  };
  const experiment = await runExperiment(instrument, plan, () => false);
  return { claim, vmas, condition, experiment };
}

const facts = {
  vmas: [1, 64],
  variants: ['unfixed', 'fixed'],
  baseline: 'unfixed',
  precision: 0.05,
  load: 'flat-out',
  seed: 1,
  secondsAsked: 60,
  machine: watchMachine()(2),
  pingPongNs: 110,
};

test('entries per size and variant, in the shape that other programs read', async () => {
  const cold: Condition = { ...USUAL, cache: 'cold' };
  const cells = [
    await cell('iteration', 1, 0.98),
    await cell('iteration', 64, 0.98),
    await cell('iteration', 64, 1, cold),
    await cell('exitLatency', 64, 1.5),
  ];
  const result = overheadResult(cells, facts);
  expect(result.iteration.map((e) => [e.vmas, e.variant])).toEqual([
    [1, 'unfixed'],
    [1, 'fixed'],
    [64, 'unfixed'],
    [64, 'fixed'],
  ]);
  expect(result.conditions.map((e) => e.condition.cache)).toEqual(['cold', 'cold']);
  const [base, fixed] = result.iteration;
  expect(base).toMatchObject({ vmas: 1, variant: 'unfixed', baseline: 'unfixed', ratio: 1, ciLow: 1, ciHigh: 1 });
  expect(fixed?.ratio).toBeCloseTo(0.98, 2);
  expect(fixed?.nsPerVma).toBeCloseTo(9.8, 0);
  expect(fixed?.ciLow).toBeLessThan(fixed?.ciHigh as number);
  expect(fixed?.pairs).toBeGreaterThanOrEqual(30);
  const exit = result.exitLatency[1];
  expect(exit?.judged?.verdict).toBe('slower');
  expect(exit?.p99Us).toBeGreaterThan(exit?.medianUs as number);
  expect(result.unsound).toEqual([]);
  const text = overheadText(result);
  expect(text).toContain('slower by 50 %');
  expect(text).toContain('110 ns there and back, near');
  expect(text).not.toContain('UNSOUND');
  expect(text).toMatch(/In short, against unfixed:\n {2}fixed, iteration: faster at 1, 64 VMAs, by (\d\.\d to )?2\.\d %\n/);
  expect(text).toContain('  fixed, exit in the race: slower at 64 VMAs, by 50 %');
  expect(text).not.toContain('little of the race');
});

test('exits that missed the race are marked, and no verdict on it', async () => {
  const text = overheadText(overheadResult([await cell('exitLatency', 1, 1.5), await cell('exitLatency', 64, 1)], facts));
  expect(text).toMatch(/fixed +1 .* slower by 50 % !\n/);
  expect(text).toMatch(/^! In more than a tenth/m);
  expect(text).toMatch(/exit in the race: no difference seen at 64 \(it would have been above \d\.\d %\)/);
});

test('an A/A run that shows a difference makes everything unsound, and is named', async () => {
  const exit = await cell('exitLatency', 1, 1);
  const aa = { ratio: 1.1, ciLow: 1.08, ciHigh: 1.12, p: 1e-6, pairs: 30, error: 0.01 };
  const result = overheadResult([await cell('iteration', 1, 1), { ...exit, experiment: { ...exit.experiment, aa } }], facts);
  expect(result.unsound).toEqual(['exitLatency']);
  expect(overheadText(result)).toMatch(/^UNSOUND: .* \(exitLatency, 1 VMAs\), so nothing below counts/);
});

test('the organic load: exits and passes are compared apart', async () => {
  const result = overheadResult([await cell('throughput', 1, 0.8), await cell('throughput', 64, 1)], facts);
  const [, fixed] = result.throughput;
  expect(fixed?.ratio).toBeCloseTo(0.8, 1);
  expect(fixed?.judged?.verdict).toBe('faster');
  expect(fixed?.passes).toMatchObject({ verdict: 'slower', pairs: fixed?.pairs });
  expect(fixed?.passes?.ratio).toBeCloseTo(1.25, 6);
  expect(result.throughput[0]?.passes).toBeUndefined();
  expect(result.throughput[3]?.passes?.ratio).toBeCloseTo(1, 6);
  const text = overheadText(result);
  expect(text).toContain('faster by 20 %');
  expect(text).toContain('slower by 25 %');
});

test('what the figures stand on is said: warm-up, cores, time', async () => {
  const measured = await cell('iteration', 8, 1);
  const warmUp = { blocks: 3, settled: false };
  const restless = { ...measured, experiment: { ...measured.experiment, warmUp } };
  const machine = { ...facts.machine, seconds: 100 };
  const text = overheadText(overheadResult([measured, restless], { ...facts, pingPongNs: 781_809, machine }));
  expect(text).toContain('in 1 of 2 experiments the times had not settled');
  expect(text).toContain('near or far was not to be told');
  expect(text).toContain('took 100 s, longer than the 60 s asked for');
  const { worstNsPerVma, nsPerVma } = overheadResult([measured], facts).iteration[1] ?? {};
  expect(worstNsPerVma).toBeGreaterThan(nsPerVma as number);
});

test('intervals as letters', async () => {
  const entry = overheadResult([await cell('iteration', 8, 1.1)], facts).iteration[1];
  const [scale, line] = intervalPlot([entry as NonNullable<typeof entry>]).split('\n');
  expect(scale).toMatch(/-\d+\.\d % +0 +\d+\.\d %/);
  expect(line).toMatch(/fixed, 8 VMAs {2}\| +: +-*o-* *\|/);
  expect(line).toMatch(/(9|10)\.\d\d %$/);
  expect(intervalPlot([])).toBe('');
});

test('a result directory holds everything, every sample included', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'overhead-'));
  try {
    const cells = [await cell('iteration', 1, 0.9), await cell('iteration', 64, 0.98), await cell('exitLatency', 64, 1.5)];
    const names = await writeOverhead(directory, overheadResult(cells, facts), cells);
    expect(names).toEqual(['overhead.json', 'overhead.txt', 'samples.csv', 'iteration.svg', 'exit-latency.svg', 'exit-latency-64.svg']);
    const csv = readFileSync(join(directory, 'samples.csv'), 'utf8').trim().split('\n');
    const blocks = cells.flatMap((c) => c.experiment.blocks);
    expect(csv.length).toBe(1 + blocks.length * (1 + 6 + 2 * 20));
    expect(csv[1]).toMatch(/^iteration,1,mergeable-warm-quiet,warm-up,1,unfixed,block,[\d.]+$/);
    for (const name of names.filter((n) => n.endsWith('.svg'))) {
      const svg = readFileSync(join(directory, name), 'utf8');
      expect(svg).toMatch(/^<svg [^>]*width="800"/);
      expect(svg).toContain('fixed');
    }
    const parsed = JSON.parse(readFileSync(join(directory, 'overhead.json'), 'utf8'));
    expect(parsed.iteration[1]).toMatchObject({ vmas: 1, variant: 'fixed', baseline: 'unfixed' });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
