import { randomUUID } from 'node:crypto';
import { access, constants, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EtlError } from '../errors.ts';

/** Refuses a report that could not be written, before the load and not after it. */
export async function checkReportPath(path: string, cwd: string): Promise<void> {
  const full = resolve(cwd, path);
  const isFolder = await stat(full).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) throw refusal(path, 'The report cannot be written: it is a directory.');
  try {
    await access((await isNoRegularFile(full)) ? full : dirname(full), constants.W_OK);
  } catch (error) {
    throw refusal(path, 'The report cannot be written: its folder is missing or read-only.', error);
  }
}

/**
 * A reader sees the old report or the whole new one: it is written aside and renamed. What is no
 * regular file (/dev/stdout, a pipe) is written to, not replaced.
 */
export async function writeReportFile(path: string, cwd: string, text: string): Promise<void> {
  const named = resolve(cwd, path);
  const full = await realpath(named).catch(() => named);
  const aside = `${full}.${randomUUID()}.tmp`;
  try {
    if (await isNoRegularFile(full)) {
      await writeFile(full, text, { flag: 'w' });
      return;
    }
    await writeFile(aside, text, { flag: 'wx' });
    await rename(aside, full);
  } catch (error) {
    await rm(aside, { force: true });
    throw new EtlError(
      'ETL_USAGE',
      `The report could not be written (${error instanceof Error ? error.message : String(error)}); the load itself is not touched by that.`,
      'Make room there, or give --report another file; etl history shows how the run has ended.',
      { file: path },
      { cause: error },
    );
  }
}

async function isNoRegularFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => !found.isFile(),
    () => false,
  );
}

function refusal(file: string, sentence: string, cause?: unknown): EtlError {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new EtlError(
    'ETL_USAGE',
    sentence + reason,
    'Give --report a file in a folder that exists.',
    { file },
    { cause },
  );
}
