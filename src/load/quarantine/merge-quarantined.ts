import { assert, present } from '../../assert.ts';
import { errorRecordOf } from '../../errors.ts';
import type { Connection } from '../../target/connect.ts';
import { needsAllRows } from '../../target/merge-sql.ts';
import type { StagingTable } from '../../target/staging.ts';
import {
  failedAt,
  mergedRows,
  mergeFiles,
  mergeOneByOne,
  mergeRowByRow,
  type MergedRows,
} from '../merge-unit.ts';
import { isRowFaultError, type Quarantine } from './quarantine.ts';
import { rejectRefused } from './reject-refused.ts';
import { rejectUnfit } from './reject-unfit.ts';
import { unitAside, writeRejects, type TooMany } from './write-rejects.ts';
import type { StagedFile, UnitTask } from '../unit-task.ts';

/**
 * Merges the staged files without the rows that the table refuses: these are taken out of staging
 * when a merge was refused, and then the rest is merged, until nothing is. The reject files are
 * written before each try, so that whatever is committed, they hold what it lacks; so is the ledger's
 * record of them, which counts once the file itself is in the ledger.
 */
export async function mergeQuarantined(
  connection: Connection,
  task: UnitTask,
  table: StagingTable | null,
  staged: readonly StagedFile[],
  quarantine: Quarantine,
  signal: AbortSignal,
): Promise<MergedRows> {
  const joint = task.load.further !== undefined && table !== null;
  const unfit = `${quarantine.spoolPrefix}u${task.unit}-unfit`;
  const judgesAll = joint || needsAllRows(task.load.target);
  let files =
    judgesAll && table !== null
      ? await rejectUnfit(connection, task.load, table, staged, unfit)
      : staged;
  for (let round = 1; ; round++) {
    const tooMany = await writeRejects(connection, task, unitAside(task), files, signal);
    if (tooMany !== null) return mergeBefore(connection, task, table, files, tooMany);
    try {
      return mergedRows(files, await mergeFiles(connection, task.load, table, files));
    } catch (error) {
      if (!isRowFaultError(error)) throw error;
      assert(table !== null, 'rows that are refused are staged');
      const spool = `${quarantine.spoolPrefix}u${task.unit}-refused-${round}`;
      const refusal = errorRecordOf(error);
      const rest = joint
        ? null
        : await rejectRefused(connection, task.load, [table], files, refusal, spool);
      if (rest === null) {
        const [only] = files;
        return only !== undefined && files.length === 1
          ? mergeRowByRow(connection, task.load, table, only, error)
          : mergeOneByOne(connection, task.load, table, files);
      }
      files = rest;
    }
  }
}

/** The files of the unit before the one that failed are merged, as far as they go. */
async function mergeBefore(
  connection: Connection,
  task: UnitTask,
  table: StagingTable | null,
  files: readonly StagedFile[],
  { file, error }: TooMany,
): Promise<MergedRows> {
  const before = files.slice(0, files.indexOf(file));
  if (before.length === 0) return failedAt(file, error, []);
  const merged = await mergeOneByOne(connection, task.load, present(table, 'a staging'), before);
  return merged.failure === null ? failedAt(file, error, merged.files) : merged;
}
