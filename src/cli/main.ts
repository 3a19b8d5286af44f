#!/usr/bin/env node
import { EXIT } from '../errors.ts';
import { tuneProcess } from '../tune-process.ts';
import { titleWithoutPassword } from './hide-password.ts';
import { loadCommands } from './load-commands.ts';

/** The door of the command: nothing but what belongs to the process itself. */
const title = titleWithoutPassword(process.argv.slice(2));
if (title !== null) process.title = title;

tuneProcess();

const interrupt = new AbortController();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The first asks for an orderly end. Whoever asks again does not want to wait for one: the
    // database rolls back by itself what was not committed.
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
    interrupt.abort();
    process.stderr.write('\netl: Interrupted; ending. Press Ctrl-C again to stop at once.\n');
  });
}

/** Words that could not be written, and that nobody chose to lose. */
const words = { lost: false };

for (const stream of [process.stdout, process.stderr]) {
  // A reader that has gone (`etl run … | head`), or a full disk under a log, must not end a load that
  // is half done; but of words that nobody chose to lose the exit code tells.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED' || words.lost) return;
    words.lost = true;
    process.stderr.write(`etl: What it has to say cannot be written: ${error.message}.\n`);
  });
}

const verbose = process.argv.includes('--verbose');
// Stacks are shown then, and those of a build are to name the source of what is loaded from here.
if (verbose) process.setSourceMapsEnabled(true);
const { part: commands, keep } = await loadCommands(process.argv[2], verbose);
const code = await commands.main(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  signal: interrupt.signal,
});
process.exitCode = words.lost && code === EXIT.ok ? EXIT.failed : code;
keep();
