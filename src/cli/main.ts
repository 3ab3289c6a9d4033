#!/usr/bin/env node
/** The entry of the command line. */
import { runCommandLine } from './run.ts';

// A reader that closed the pipe (`| head`) has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runCommandLine(process.argv.slice(2));
