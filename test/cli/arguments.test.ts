import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.ts';
import type { OptionTable } from '../../src/cli/command.ts';

const options: OptionTable = {
  vmas: { kind: 'value', value: 'N', help: '' },
  mode: { kind: 'value', help: '' },
  file: { kind: 'values', help: '' },
  json: { kind: 'flag', help: '' },
};

const parse = (...argv: string[]) => parseArguments('stress', argv, options, ['DIR']);

describe('arguments', () => {
  it('reads values, lists, flags and positionals in any order', () => {
    const args = parse('--vmas=3', 'here', '--file', 'a', '--json', '--file', 'b');
    expect(args.whole('vmas', 1, { min: 1, max: 9 })).toBe(3);
    expect(args.texts('file')).toEqual(['a', 'b']);
    expect(args.has('json')).toBe(true);
    expect(args.positional(0, 'DIR')).toBe('here');
    expect(args.choice('mode', ['x'], 'none')).toBe('none');
  });

  it('takes the last of several', () => {
    expect(parse('--vmas', '1', '--vmas', '2').whole('vmas', 0, { min: 1, max: 9 })).toBe(2);
  });

  it.each([
    [['--vmsa', '1'], 'unknown option --vmsa for stress (did you mean --vmas?)'],
    [['-x'], 'unknown option -x for stress'],
    [['--vmas'], '--vmas needs a value (N)'],
    [['--vmas', '--json'], '--vmas needs a value (N)'],
    [['--json=1'], '--json takes no value, but got 1'],
    [['a', 'b c'], 'unexpected argument "b c" for stress'],
  ])('refuses %j with a sentence', (argv, sentence) => {
    expect(() => parse(...argv)).toThrow(sentence);
  });

  it.each([
    ['x', '--vmas x is not a whole number'],
    ['', '--vmas "" is not a whole number'],
    ['1.5', '--vmas 1.5 is not a whole number'],
    ['0', '--vmas 0 is out of range: it must be from 1 to 9'],
    ['-1', '--vmas -1 is out of range: it must be from 1 to 9'],
    ['1e3', '--vmas 1e3 is not a whole number'],
    ['99999999999999999999', '--vmas 99999999999999999999 is out of range: it must be from 1 to 9'],
  ])('refuses the number %j with a sentence', (value, sentence) => {
    expect(() => parse('--vmas', value).whole('vmas', 1, { min: 1, max: 9 })).toThrow(sentence);
  });

  it('names the choices', () => {
    expect(() => parse('--mode', 'aimd').choice('mode', ['none', 'aimed'], 'none')).toThrow(
      '--mode aimd is not one of none, aimed (did you mean aimed?)',
    );
  });
});
