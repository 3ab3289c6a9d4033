/**
 * Vector files of the maple tree: JSON Lines, plain or gzipped; the first line a header, each further line one operation with the answer
 * that the C tree of Linux 6.1 gave. Two kinds: traces (one tree, one cursor; flags in the header) and recordings of the kernel's own unit
 * tests (several trees `t` and cursors `c`). docs/fidelity.md describes the operations.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** A file that cannot be used; the message is one sentence for the user (exit code 1). */
export class BadVectorFile extends Error {
  override name = 'BadVectorFile';
}

/** One line: its operation's name, its fields, and where it stands. */
export interface VectorLine {
  op: string;
  /** 1-based line number. */
  line: number;
  fields: Record<string, unknown>;
}

/** A whole file. */
export interface VectorFile {
  /** As the user named it. */
  name: string;
  header: Record<string, unknown>;
  lines: VectorLine[];
}

function readText(name: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(name);
  } catch (error) {
    throw new BadVectorFile(`--vectors ${name}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString('utf8');
  try {
    return gunzipSync(bytes).toString('utf8');
  } catch {
    throw new BadVectorFile(`--vectors ${name}: is not a complete gzip file`);
  }
}

function parseObject(text: string, name: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BadVectorFile(`--vectors ${name}, line ${line}: is not JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BadVectorFile(`--vectors ${name}, line ${line}: is not a JSON object`);
  }
  return value as Record<string, unknown>;
}

/** Parses the text of a file. @throws BadVectorFile */
export function parseVectors(name: string, text: string): VectorFile {
  const texts = text.split('\n');
  const header = parseObject(texts[0] ?? '', name, 1);
  if (typeof header.trace !== 'string') throw new BadVectorFile(`--vectors ${name}, line 1: is not a maple vector header (no "trace")`);
  const lines: VectorLine[] = [];
  for (let i = 1; i < texts.length; i++) {
    if (texts[i]?.trim() === '') continue;
    const fields = parseObject(texts[i] as string, name, i + 1);
    if (typeof fields.op !== 'string') throw new BadVectorFile(`--vectors ${name}, line ${i + 1}: has no "op"`);
    lines.push({ op: fields.op, line: i + 1, fields });
  }
  if (lines.length === 0) throw new BadVectorFile(`--vectors ${name}: holds no operations`);
  return { name, header, lines };
}

/** Reads a file. @throws BadVectorFile */
export function readVectors(name: string): VectorFile {
  return parseVectors(name, readText(name));
}
