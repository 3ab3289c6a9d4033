/** Source lines from a source map, without a library: Node reads the same map at run time. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';

/** Gives the source line (1-based) of a line (1-based) of the compiled file whose map is `mapFile`. */
export function lineMapper(mapFile: string): (line: number) => number {
  const map = new SourceMap(JSON.parse(readFileSync(mapFile, 'utf8')));
  return (line) => {
    const entry = map.findEntry(line - 1, 0) as { originalLine?: number };
    return (entry.originalLine ?? line - 1) + 1;
  };
}
