/** Directories and files that a run writes to. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UsageError } from './errors.ts';

/** Why a system call failed, without its path. */
export function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const known: Record<string, string> = {
    EACCES: 'permission denied',
    ENOENT: 'no such file or directory',
    ENOTDIR: 'a part of the path is not a directory',
    EEXIST: 'a file of that name is there',
    EISDIR: 'it is a directory',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
  };
  return known[code] ?? (error instanceof Error ? error.message : String(error));
}

/** Directories that are missing on the way to `path`, the topmost first. */
export function missingDirectories(path: string): string[] {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at); at = dirname(at)) missing.unshift(at);
  return missing;
}

/** Makes a directory and those above it, one by one: a recursive mkdir of Node 20 never returns under /proc. */
export function makeDirectory(path: string): void {
  for (const at of missingDirectories(path)) mkdirSync(at);
}

/**
 * Finds out before a long run whether its result can be written.
 * @param flag  that names the file
 * @throws UsageError
 */
export function checkWritable(flag: string, file: string): void {
  const beside = `${file}.${process.pid}`;
  try {
    writeFileSync(beside, '');
    rmSync(beside);
  } catch (error) {
    throw new UsageError(`${flag} ${file} can't be written: ${reason(error)}`);
  }
}
