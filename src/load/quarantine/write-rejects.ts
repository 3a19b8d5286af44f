import { present } from '../../assert.ts';
import { ledgerPath } from '../../source/ledger-path.ts';
import type { Connection } from '../../target/connect.ts';
import { writeRejectRecord } from '../../target/reject-record.ts';
import type { StagedFile, UnitTask } from '../unit-task.ts';
import { refuseTooMany } from './quarantine.ts';
import { rejectFileOf, writeRejectFile } from './reject-file.ts';

/** A file that has more rejected rows than it may. */
export interface TooMany {
  readonly file: StagedFile;
  readonly error: unknown;
}

/**
 * Writes the reject files, and what the ledger is to know of them; resolves to the first file that has too
 * many rejected rows, whose reject file is written, too.
 *
 * @param aside begins the paths of the files while they are written; nobody else uses it
 */
export async function writeRejects(
  connection: Connection,
  { load, rejectPaths }: Pick<UnitTask, 'load' | 'rejectPaths'>,
  aside: string,
  files: readonly StagedFile[],
  signal: AbortSignal,
): Promise<TooMany | null> {
  const { maxErrors, began } = present(load.quarantine, 'a quarantine');
  for (const file of files) {
    if (file.rejected === 0) continue;
    const rejects = rejectFileOf(rejectPaths, aside, file);
    const records = await writeRejectFile(rejects, signal);
    const [path, rejectsPath] = [ledgerPath(file.file), rejects.path];
    await writeRejectRecord(connection, load.ledger, { path, rejectsPath, began, records });
    try {
      refuseTooMany(maxErrors, file.file.name, file.rejected, file.rows);
    } catch (error) {
      return { file, error };
    }
  }
  return null;
}

/** Of the reject files that a unit writes. */
export function unitAside({ load, unit }: Pick<UnitTask, 'load' | 'unit'>): string {
  return `${present(load.quarantine, 'a quarantine').spoolPrefix}u${unit}-file`;
}
