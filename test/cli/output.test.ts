import { describe, expect, it } from 'vitest';
import { Output, table } from '../../src/cli/output.ts';

function sinks(options: { json?: boolean; quiet?: boolean; tty?: boolean; env?: Record<string, string> }) {
  const text = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({ isTTY: options.tty === true, columns: 40, write: (s: string) => (text[name] += s) });
  const output = new Output({
    json: options.json === true,
    quiet: options.quiet === true,
    stdout: stream('out'),
    stderr: stream('err'),
    env: options.env ?? {},
  });
  return { text, output };
}

describe('output', () => {
  it('keeps stdout for the object under --json', () => {
    const { text, output } = sinks({ json: true });
    output.say('story');
    output.result('result');
    output.object({ a: 1 });
    expect(JSON.parse(text.out)).toEqual({ a: 1 });
    expect(text.err).toBe('story\nresult\n');
  });

  it('prints the result only under --quiet', () => {
    const { text, output } = sinks({ quiet: true });
    output.say('story');
    output.progress('half');
    output.result('result');
    expect(text).toEqual({ out: 'result\n', err: '' });
  });

  it('shows progress and colour on a terminal only, and no colour with NO_COLOR', () => {
    const plain = sinks({});
    plain.output.progress('half');
    expect(plain.text.err).toBe('');
    expect(plain.output.style('red', 'x')).toBe('x');
    const terminal = sinks({ tty: true });
    terminal.output.progress('a'.repeat(99));
    terminal.output.say('done');
    expect(terminal.text.err).toBe(`\r\x1b[K${'a'.repeat(39)}\r\x1b[K`);
    expect(terminal.output.style('red', 'x')).not.toBe('x');
    expect(sinks({ tty: true, env: { NO_COLOR: '1' } }).output.style('red', 'x')).toBe('x');
  });

  it('shows a block of lines in place, and nothing of it where there is no terminal', () => {
    const plain = sinks({});
    expect(plain.output.block(['a', 'b'])).toBe(false);
    expect(plain.text).toEqual({ out: '', err: '' });
    const terminal = sinks({ tty: true });
    expect(terminal.output.block(['a', 'b'.repeat(99)])).toBe(true);
    terminal.output.block(['c']);
    terminal.output.say('done');
    expect(terminal.text.out).toBe(`a\n${'b'.repeat(39)}\n\x1b[2A\x1b[Jc\n\x1b[1A\x1b[Jdone\n`);
  });

  it('aligns columns, numbers to the right', () => {
    expect(
      table([
        ['name', 'n'],
        ['a', 1],
        ['bbbbb', 10],
      ]),
    ).toBe('name    n\na       1\nbbbbb  10');
  });
});
