import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { EtlError, errorRecordOf } from '../errors.ts';
import { retryable } from '../conflict/retry-policy.ts';
import type { SourceFile } from './source-file.ts';

type ListedFile = Pick<SourceFile, 'path' | 'name' | 'bytes' | 'mtimeMs' | 'ctimeMs'>;

/**
 * A file that is still being written, or was replaced since it was listed, is not loaded.
 *
 * @throws EtlError ETL_FILE_CHANGED
 */
export async function refuseChanged(file: ListedFile): Promise<void> {
  const now = await stat(file.path).catch(() => null);
  if (now !== null && !isOther(file, now)) return;
  const what =
    now === null
      ? 'The file is gone since it was listed'
      : now.size !== file.bytes
        ? `The file changed since it was listed: ${file.bytes} bytes then, ${now.size} now`
        : now.mtimeMs !== file.mtimeMs
          ? 'The file was written to since it was listed'
          : 'The file was replaced, or its attributes changed, since it was listed';
  throw new EtlError('ETL_FILE_CHANGED', `${what}.`, 'Run again once it is complete.', {
    file: file.name,
  });
}

/**
 * Whether the file is another than was listed, by all that is seen of it from outside. What takes its
 * place may have its size and its time of modification, and parts of both would be loaded as one; that
 * a file which is only renamed or linked to meanwhile is refused as well is the price.
 */
export function isOther(
  { bytes, mtimeMs, ctimeMs }: Omit<ListedFile, 'path' | 'name'>,
  now: Pick<Stats, 'size' | 'mtimeMs' | 'ctimeMs'>,
): boolean {
  if (now.size !== bytes || now.mtimeMs !== mtimeMs) return true;
  return ctimeMs !== undefined && now.ctimeMs !== ctimeMs;
}

/**
 * What is to be told of an error that was met while the file was read: half of what somebody writes looks
 * cut off, damaged or like a bad row, and fetching the file again, or correcting the row, is no remedy. An
 * error of the line or of the server stays as it is: it may be tried again, and then the change shows.
 */
export async function changedOr(error: unknown, file: ListedFile): Promise<unknown> {
  const record = errorRecordOf(error);
  const { facts, code } = record;
  if (code === 'ETL_ABORTED' || facts.socket !== undefined || retryable(record)) return error;
  return refuseChanged(file).then(
    () => error,
    (changed: unknown) => changed,
  );
}

/** The reader, which tells that its file was changed rather than what that looks like. */
export function heedingChanges<File extends ListedFile, Rest extends readonly unknown[], T>(
  read: (file: File, ...rest: Rest) => Promise<T>,
): (file: File, ...rest: Rest) => Promise<T> {
  return async (file, ...rest) => {
    try {
      return await read(file, ...rest);
    } catch (error) {
      throw await changedOr(error, file);
    }
  };
}
