import { present } from '../../assert.ts';
import { EtlError } from '../../errors.ts';
import type { FilePlan } from '../../plan/plan-types.ts';
import type { Connection } from '../../target/connect.ts';
import type { RejectRecord } from '../../target/reject-record.ts';
import { deleteRejected, insertCorrected, type SettledTable } from '../../target/settled-rows.ts';
import { temporaryName, type StagingTable } from '../../target/staging.ts';
import { tablesOf } from '../load-tables.ts';
import { stageFiles } from '../stage-files.ts';
import type { LoadTask, StagedFile, UnitHooks } from '../unit-task.ts';

/** A file in a staging table of its own, its rows numbered as in the file. */
export interface SettledFile {
  readonly table: StagingTable;
  readonly staged: StagedFile;
}

/**
 * Stages a file that is loaded once more, as its load has left it: what was rejected then is left out,
 * what was corrected since is in its place. `reject`: null where no row of it was rejected.
 */
export async function stageSettled(
  connection: Connection,
  load: LoadTask,
  file: FilePlan,
  reject: RejectRecord | null,
  hooks: UnitHooks,
): Promise<SettledFile> {
  const unit = file.ordinal;
  const into = { sqlName: temporaryName(unit), kind: 'temp', fileColumn: false } as const;
  const { table, staged, failure } = await stageFiles(
    connection,
    { load, unit, files: [{ ...file, badBytes: 'of a row' }], attempt: 1 },
    into,
    hooks,
  );
  if (failure !== null) throw EtlError.fromRecord(failure.error);
  if (reject !== null) {
    await deleteRejected(connection, table, reject);
    await insertCorrected(connection, table, settledTables(load, table), reject, load.ledger);
  }
  return { table, staged: present(staged[0], 'the staged file') };
}

function settledTables(load: LoadTask, table: StagingTable): SettledTable[] {
  return tablesOf(load, table).map(({ target, sqlName, staging }, index) => ({
    columns: staging.columns,
    targets: target.columns,
    further: index === 0 ? null : sqlName,
  }));
}
