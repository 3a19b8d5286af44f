import { present } from '../assert.ts';
import { EtlError } from '../errors.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { documentIn } from '../source/transform/input-of.ts';
import { castColumns, findBadCast } from '../target/bad-cast.ts';
import type { Connection } from '../target/connect.ts';
import { jointLayout } from '../target/joint-staging.ts';
import { createStaging, deleteStaged, setStagedFile } from '../target/staging.ts';
import { stagingLayout, type StagingLayout } from '../target/staging-layout.ts';
import type { StagingTable } from '../target/staging.ts';
import { copyFiles } from './copy-files.ts';
import { copyTargetOf, type CopyTarget } from './copy-target.ts';
import { jointTables } from './load-tables.ts';
import { resolveLookups } from './resolve-lookups.ts';
import { stageDocuments } from './stage-documents.ts';
import { stageFile } from './stage-file.ts';
import { rejectChecked } from './quarantine/reject-checked.ts';
import { isRowFaultError } from './quarantine/quarantine.ts';
import { quarantinedStaging, type QuarantinedStaging } from './quarantine/stage-quarantined.ts';
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
  const layout = layoutOf(task, table);
  const { quarantine } = task.load;
  const quarantined =
    quarantine === null ? null : quarantinedStaging(connection, task, quarantine, hooks);
  const first = present(task.files[0], 'a file');
  let stagedAs = first.ordinal;
  await createStaging(connection, layout.table, stagedAs);
  const copied = areDocuments(task)
    ? await stageDocuments(
        connection,
        task.files,
        layout.table,
        copyTargetOf(task.load.target.columns, layout, first),
        {
          ...hooks,
          loadedMs: Date.parse(task.load.startedAt),
          subBatchSize: task.load.subBatchSize,
          quarantined,
        },
      )
    : await copyFiles(connection, task.files, {
        hooks,
        targetOf: (file) => copyTargetOf(task.load.target.columns, layout, file),
        superseded: task.superseded ?? new Map(),
        before: async ({ ordinal }) => {
          if (ordinal === stagedAs || !table.fileColumn) return;
          await setStagedFile(connection, layout.table, ordinal);
          stagedAs = ordinal;
        },
        copyOne: (file) => stageInto({ connection, task, layout, hooks, quarantined }, file),
        undo: async (_, took, refused) => {
          if (took) await takeBack(connection, layout.table, refused);
        },
        check: (first) =>
          refuseBadCast(
            connection,
            layout.table,
            first,
            copyTargetOf(task.load.target.columns, layout, first),
          ),
      });
  const staged =
    quarantined === null ? copied.staged : await quarantined.end(copied.staged, copied.failure);
  const unit = { table: layout.table, staged, failure: copied.failure };
  return rejectChecked(connection, task, await resolveLookups(connection, task, unit, hooks));
}

function layoutOf(
  { load, files }: UnitTask,
  table: Pick<StagingTable, 'sqlName' | 'kind' | 'fileColumn'>,
): StagingLayout {
  const { target } = load;
  // All documents of a unit have the layout of the first: one for each would cost more than its row.
  const laid = areDocuments({ files }) ? files.slice(0, 1) : files;
  const tables = jointTables(load);
  return tables.length === 1
    ? stagingLayout(target.columns, laid, table)
    : jointLayout(tables, laid, table);
}

function areDocuments({ files }: Pick<UnitTask, 'files'>): boolean {
  const [first] = files;
  return first !== undefined && documentIn(first.description) !== null;
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
    if (hooks.signal.aborted) throw error;
    // A line that is lost behind the refusal of a row is what ends the file, which is tried again then: to
    // take rows back says so.
    if (!connection.usable() && !isRowFaultError(error)) throw error;
    await takeBack(connection, layout.table, file);
  };
  try {
    const staged =
      sifts && file.description.kind === 'transformed'
        ? await siftAtOnce(quarantined, file, target, hooks)
        : await stageFile(connection, file, target, { ...options, superseded }).catch(
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

/** A row that a transform rejects is nothing unusual, and no row is to go through a model twice. */
async function siftAtOnce(
  quarantined: QuarantinedStaging,
  file: FilePlan,
  target: CopyTarget,
  { news }: UnitHooks,
): Promise<StagedFile> {
  news({ kind: 'file-started', file: file.ordinal });
  return quarantined.sift(file, target, null);
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
  const casts = castColumns(table, layout.copyColumns);
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
