/** What a source map tells of a compiled file, without a library: Node reads the same map at run time. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';

export interface SourceOf {
  /** The TypeScript text. */
  text: string;
  /** The source line (1-based) of a line (1-based) of the compiled file. */
  lineOf: (line: number) => number;
}

/** The TypeScript text that the map in `mapFile` carries. */
export function sourceText(mapFile: string): string {
  return (JSON.parse(readFileSync(mapFile, 'utf8')) as { sourcesContent: string[] }).sourcesContent[0] as string;
}

/** Reads the map in `mapFile`, which must carry its source. */
export function sourceOf(mapFile: string): SourceOf {
  const payload = JSON.parse(readFileSync(mapFile, 'utf8')) as { sourcesContent: string[] };
  const map = new SourceMap(payload as unknown as ConstructorParameters<typeof SourceMap>[0]);
  return {
    text: payload.sourcesContent[0] as string,
    lineOf(line) {
      const entry = map.findEntry(line - 1, 0) as { originalLine?: number };
      return (entry.originalLine ?? line - 1) + 1;
    },
  };
}
