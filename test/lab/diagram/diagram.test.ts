import { describe, expect, it } from 'vitest';
import { type Call, drawDiagram, type Happening, type Step } from '../../../src/lab/diagram/diagram.ts';

const call = (name: string, clock: number, ...steps: Step[]): Call => ({ name, clock, steps });
const told = (text: string, clock: number, weight: 1 | 2 | 3 = 3): Happening => ({ text, clock, weight });
const remark = (text: string, clock: number): Happening => ({ text, clock, weight: 3, remark: true });

describe('diagram', () => {
  it('draws tasks side by side, in the order of time, indented by depth', () => {
    const text = drawDiagram([
      { steps: [call('pass', 1, told('spin_lock();', 2), told('spin_unlock();', 3), told('read_lock();', 9))] },
      { steps: [call('mmput', 4, call('__mmput', 5, told('write_lock();', 6), remark('gone now', 7)))] },
    ]);
    const far = '\t'.repeat(5);
    expect(text).toBe(
      [
        `task 1${far}task 2`,
        'pass()',
        ' spin_lock();',
        ' spin_unlock();',
        `${far}mmput()`,
        `${far} __mmput()`,
        `${far}  write_lock();`,
        '',
        '='.repeat(71),
        'gone now',
        '='.repeat(71),
        '',
        ' read_lock();',
      ].join('\n'),
    );
  });

  it('leaves out calls in which nothing happened, and tells loops once', () => {
    const loop = Array.from({ length: 64 }, (_, i) => [told('test', 10 + 2 * i), told('find', 11 + 2 * i)]).flat();
    const text = drawDiagram([{ steps: [call('outer', 1, call('empty', 2, call('inner', 3)), ...loop, told('end', 999))] }]);
    expect(text).toBe(['task 1', 'outer()', ' test', ' find', ' ... (64 times)', ' end'].join('\n'));
  });

  it('drops the lesser events first, and never passes 60 lines', () => {
    const steps = Array.from({ length: 50 }, (_, i) => [told(`big ${i}`, 2 * i), told(`small ${i}`, 2 * i + 1, 1)]).flat();
    const text = drawDiagram([{ steps }]);
    expect(text).not.toContain('small');
    expect(text.split('\n')).toHaveLength(51);
    const many = drawDiagram([{ steps: [...Array.from({ length: 500 }, (_, i) => told(`line ${i}`, i)), remark('the end', 501)] }]);
    expect(many.split('\n').length).toBeLessThanOrEqual(60);
    expect(many).toContain('line 0\n');
    expect(many).toMatch(/lines\)\nline \d+/);
    expect(many).toContain('the end');
  });
});
