import { present } from '../assert.ts';
import { EtlError } from '../errors.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { findBadCast } from '../target/bad-cast.ts';
import type { Connection } from '../target/connect.ts';
import { createStaging, deleteStaged, setStagedFile } from '../target/staging.ts';
import { stagingLayout, type StagingLayout } from '../target/staging-layout.ts';
import type { StagingTable } from '../target/staging.ts';
import { copyFiles } from './copy-files.ts';
import { copyTargetOf } from './copy-target.ts';
import { stageFile, type CopyTarget } from './stage-file.ts';
import { quarantinedStaging, type QuarantinedStaging } from './stage-quarantined.ts';
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
  const { quarantine } = task.load;
  const quarantined =
    quarantine === null ? null : quarantinedStaging(connection, task, quarantine, hooks);
  let stagedAs = present(task.files[0], 'a file').ordinal;
  await createStaging(connection, layout.table, stagedAs);
  const copied = await copyFiles(connection, task.files, {
    hooks,
    targetOf: (file) => copyTargetOf(task.load.target.columns, layout, file),
    superseded: task.superseded ?? new Map(),
    before: async ({ ordinal }) => {
      if (ordinal === stagedAs || !table.fileColumn) return;
      await setStagedFile(connection, layout.table, ordinal);
      stagedAs = ordinal;
    },
    copyOne: (file) => stageInto({ connection, task, layout, hooks, quarantined }, file),
    undo: async (_, took, first) => {
      if (took) await takeBack(connection, layout.table, first);
    },
  });
  if (quarantined === null) return { table: layout.table, ...copied };
  const staged = await quarantined.end(copied.staged, copied.failure);
  return { table: layout.table, ...copied, staged };
}

interface Staging {
  readonly connection: Connection;
  readonly task: UnitTask;
  readonly layout: StagingLayout;
  readonly hooks: UnitHooks;
  readonly quarantined: QuarantinedStaging | null;
}

async function stageInto(staging: Staging, file: FilePlan): Promise<StagedFile> {
  const { connection, task, layout, hooks, quarantined } = staging;
  const target = copyTargetOf(task.load.target.columns, layout, file);
  const { subBatchSize } = task.load;
  const superseded = task.superseded?.get(file.ordinal) ?? null;
  const sifts = quarantined !== null;
  const options = { ...hooks, subBatchSize, part: task.part, quarantined: sifts };
  const undone = async (error: unknown): Promise<void> => {
    if (hooks.signal.aborted || !connection.usable()) throw error;
    await takeBack(connection, layout.table, file);
  };
  try {
    const staged = await stageFile(connection, file, target, { ...options, superseded }).catch(
      async (error: unknown) => {
        if (superseded === null && !sifts) throw error;
        await undone(error);
        if (sifts) return quarantined.sift(file, target, error);
        // COPY counts the lines that it gets: sent whole, the file fails with a line of its own.
        return stageFile(connection, file, target, { ...options, superseded: null });
      },
    );
    if (quarantined !== null) return await quarantined.rejectBadCasts(staged, layout.table, target);
    await refuseBadCast(connection, layout.table, file, target);
    return staged;
  } catch (error) {
    await undone(error);
    throw error;
  }
}

/** A file may be found bad when its COPY is over: then its rows must not stay for the merge. */
async function takeBack(
  connection: Connection,
  table: StagingTable,
  file: FilePlan,
): Promise<void> {
  await deleteStaged(connection, table, table.fileColumn ? file.ordinal : null);
}

/** Rows with a value that the merge could not cast are found while staging. */
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
