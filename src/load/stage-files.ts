import { EtlError } from '../errors.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { findBadCast } from '../target/bad-cast.ts';
import type { Connection } from '../target/connect.ts';
import { createStaging, deleteStaged, dropStaging, setStagedFile } from '../target/staging.ts';
import { stagingLayout, type StagingLayout } from '../target/staging-layout.ts';
import type { StagingTable } from '../target/staging.ts';
import { copyTargetOf } from './copy-target.ts';
import { fileFailure } from './file-failure.ts';
import { stageFile, type CopyTarget } from './stage-file.ts';
import type { FileFailure } from './unit-session.ts';
import type { StagedFile, UnitHooks, UnitTask } from './unit-task.ts';

export interface StagedFiles {
  readonly table: StagingTable;
  readonly staged: StagedFile[];
  readonly failure: FileFailure | null;
}

/**
 * Stages the files of a unit in order, into a table made for it. A file that is bad ends the unit
 * there: what came before it stays staged, the rows of its own COPY are gone.
 */
export async function stageFiles(
  connection: Connection,
  task: UnitTask,
  table: Pick<StagingTable, 'sqlName' | 'kind' | 'fileColumn'>,
  hooks: UnitHooks,
): Promise<StagedFiles> {
  const layout = stagingLayout(task.load.target.columns, task.files, table);
  await dropStaging(connection, table.sqlName);
  await createStaging(connection, layout.table);
  const staged: StagedFile[] = [];
  for (const file of task.files) {
    try {
      staged.push(await stageInto(connection, task, layout, file, hooks));
    } catch (error) {
      const failure = fileFailure(file.ordinal, error, hooks.signal);
      return { table: layout.table, staged, failure };
    }
  }
  return { table: layout.table, staged, failure: null };
}

async function stageInto(
  connection: Connection,
  task: UnitTask,
  layout: StagingLayout,
  file: FilePlan,
  hooks: UnitHooks,
): Promise<StagedFile> {
  if (layout.table.fileColumn) await setStagedFile(connection, layout.table, file.ordinal);
  const target = copyTargetOf(task.load.target.columns, layout, file);
  const { subBatchSize } = task.load;
  const superseded = task.superseded?.get(file.ordinal) ?? null;
  const staged = await stageFile(connection, file, target, {
    ...hooks,
    subBatchSize,
    superseded,
  }).catch((error: unknown) => {
    // COPY counts the lines that it gets: sent whole, the file fails with a line of its own.
    if (superseded === null || hooks.signal.aborted || !connection.usable()) throw error;
    return stageFile(connection, file, target, { ...hooks, subBatchSize, superseded: null });
  });
  await refuseBadCast(connection, layout.table, file, target);
  return staged;
}

/** Rows with a value that the merge could not cast are found, and taken back, while staging. */
async function refuseBadCast(
  connection: Connection,
  table: StagingTable,
  file: FilePlan,
  { layout, columnName }: CopyTarget,
): Promise<void> {
  const casts = table.columns.filter(
    (column) => column.cast !== null && layout.copyColumns.includes(column.name),
  );
  if (casts.length === 0) return;
  const ordinal = table.fileColumn ? file.ordinal : null;
  const bad = await findBadCast(connection, table, casts, ordinal);
  if (bad === null) return;
  await deleteStaged(connection, table, ordinal);
  const { code, sentence, remedy, facts } = bad.error.record;
  const column = columnName(bad.column);
  const place = { file: file.name, line: bad.row, value: bad.value };
  throw new EtlError(
    code,
    sentence,
    remedy,
    { ...facts, ...place, ...(column === null ? {} : { column }) },
    { cause: bad.error },
  );
}
