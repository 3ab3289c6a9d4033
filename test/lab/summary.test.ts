import { describe, expect, it } from 'vitest';
import { observation } from '../../src/lab/observation.ts';
import { addSummaries, type Summary } from '../../src/lab/summary.ts';
import { summaryText } from '../../src/lab/summary-text.ts';

function aSummary(change: Partial<Summary> = {}): Summary {
  return {
    command: 'stress',
    scenario: 'ksm-exit',
    variant: 'unfixed',
    seed: 1,
    node: 'v20',
    cores: 2,
    workers: 2,
    seconds: 2,
    trials: 1000,
    perSecond: 500,
    reports: 12,
    signatures: [{ id: 'a-1', kind: 'a', title: 'A', count: 12, first: { trial: 7, seconds: 1 } }],
    hits: { total: 12, slotLeftBehind: 9, destroyedWhileWaiting: 2, cursorWindow: 1 },
    visits: 800,
    exits: 1000,
    passes: 1000,
    trialsWithReport: 12,
    ...change,
  };
}

describe('observation', () => {
  it('says Never, Sometimes or Always with the Wilson interval', () => {
    expect(observation('ksm-exit', 1234, 1_000_000)).toBe('Observation ksm-exit Sometimes 1234 998766 (0.12% [0.12,0.13])');
    expect(observation('ksm-exit', 0, 1000)).toBe('Observation ksm-exit Never 0 1000 (0% [0,0.38])');
    expect(observation('ksm-exit', 5, 5)).toMatch(/^Observation ksm-exit Always 5 0 \(100% \[56\.\d\d,100\]\)$/);
    expect(observation('ksm-exit', 0, 0)).toBe('Observation ksm-exit Never 0 0 (0% [0,100])');
    expect(observation('ksm-exit', 1, 64_307)).toBe('Observation ksm-exit Sometimes 1 64306 (0.0016% [0.00027,0.0088])');
  });
});

describe('adding up', () => {
  it('adds counts and keeps the earliest finding', () => {
    const other = aSummary({ seconds: 3, trials: 500, reports: 3, trialsWithReport: 3 });
    other.signatures = [
      { id: 'a-1', kind: 'a', title: 'A', count: 2, first: { trial: 3, seconds: 0.5 } },
      { id: 'b-1', kind: 'b', title: 'B', count: 1, first: { trial: 9, seconds: 2 } },
    ];
    const sum = addSummaries([aSummary(), other]);
    expect(sum).toMatchObject({ trials: 1500, seconds: 5, perSecond: 300, reports: 15, trialsWithReport: 15, visits: 1600, cores: 4 });
    expect(sum.hits.slotLeftBehind).toBe(18);
    expect(sum.signatures).toEqual([
      { id: 'a-1', kind: 'a', title: 'A', count: 14, first: { trial: 3, seconds: 0.5 } },
      { id: 'b-1', kind: 'b', title: 'B', count: 1, first: { trial: 9, seconds: 2 } },
    ]);
  });

  it('leaves its arguments alone', () => {
    const one = aSummary();
    addSummaries([one, aSummary()]);
    expect(one).toEqual(aSummary());
  });
});

describe('summary text', () => {
  it('ends with the observation, also without any trial', () => {
    expect(summaryText(aSummary())).toMatch(/Observation ksm-exit Sometimes 12 988 \(1\.20% \[0\.69,2\.09\]\)$/);
    expect(summaryText(aSummary({ trials: 0, perSecond: 0, seconds: 0 }))).toMatch(/Observation ksm-exit Never 0 0/);
  });

  it("has the reproducer's columns for organic runs", () => {
    const text = summaryText(aSummary({ settings: { shape: 'organic' } }));
    expect(text).toContain('visits/s                   400');
    expect(text).toContain('hits per visit             1.50 %');
  });
});
