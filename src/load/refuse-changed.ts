import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { EtlError } from '../errors.ts';
import type { FilePlan } from '../plan/plan-types.ts';

type PlannedFile = Pick<FilePlan, 'path' | 'name' | 'bytes' | 'mtimeMs' | 'ctimeMs'>;

/** A file that is still being written, or was replaced since it was planned, is not loaded. */
export async function refuseChanged(file: PlannedFile): Promise<void> {
  const now = await stat(file.path).catch(() => null);
  if (now !== null && !isOther(file, now)) return;
  const what =
    now === null
      ? 'The file is gone since the load was planned'
      : now.size !== file.bytes
        ? `The file changed since the load was planned: ${file.bytes} bytes then, ${now.size} now`
        : now.mtimeMs !== file.mtimeMs
          ? 'The file was written to since the load was planned'
          : 'The file was replaced, or its attributes changed, since the load was planned';
  throw new EtlError('ETL_FILE_CHANGED', `${what}.`, 'Run again once it is complete.', {
    file: file.name,
  });
}

/**
 * Whether the file is another than was planned, by all that is seen of it from outside. What takes its
 * place may have its size and its time of modification, and parts of both would be loaded as one; that
 * a file which is only renamed or linked to meanwhile is refused as well is the price.
 */
export function isOther(
  { bytes, mtimeMs, ctimeMs }: Omit<PlannedFile, 'path' | 'name'>,
  now: Pick<Stats, 'size' | 'mtimeMs' | 'ctimeMs'>,
): boolean {
  if (now.size !== bytes || now.mtimeMs !== mtimeMs) return true;
  return ctimeMs !== undefined && now.ctimeMs !== ctimeMs;
}
