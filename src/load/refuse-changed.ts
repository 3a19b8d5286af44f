import { stat } from 'node:fs/promises';
import { EtlError } from '../errors.ts';
import type { FilePlan } from '../plan/plan-types.ts';

/** A file that is still being written, or was replaced since it was planned, is not loaded. */
export async function refuseChanged(
  file: Pick<FilePlan, 'path' | 'name' | 'bytes' | 'mtimeMs'>,
): Promise<void> {
  const now = await stat(file.path).catch(() => null);
  if (now !== null && now.size === file.bytes && now.mtimeMs === file.mtimeMs) return;
  const what =
    now === null
      ? 'The file is gone since the load was planned'
      : now.size !== file.bytes
        ? `The file changed since the load was planned: ${file.bytes} bytes then, ${now.size} now`
        : 'The file was written to since the load was planned';
  throw new EtlError('ETL_FILE_CHANGED', `${what}.`, 'Run again once it is complete.', {
    file: file.name,
  });
}
