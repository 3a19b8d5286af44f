import { assert, present } from '../assert.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import type { Connection } from '../target/connect.ts';
import { writeLedger } from '../target/ledger.ts';
import { quoted } from '../target/names.ts';
import { copiesWhole, stagingLayout } from '../target/staging-layout.ts';
import type { TargetColumn } from '../target/table.ts';
import { fileColumnName, forcedNulls } from './copy-target.ts';
import { fileFailure } from './file-failure.ts';
import { insertedOnly, ledgerEntry, mergedRows, type MergedRows } from './merge-unit.ts';
import { stageFile, type CopyTarget } from './stage-file.ts';
import type { FileFailure } from './unit-session.ts';
import type { StagedFile, UnitHooks, UnitTask } from './unit-task.ts';

/** A file that was copied into the target itself, in a transaction that is still open. */
export interface DirectCopy {
  readonly staged: StagedFile[];
  readonly failure: FileFailure | null;
  commit(): Promise<MergedRows>;
  rollback(): Promise<void>;
}

/**
 * `append` has no key, so no row can meet another: a file whose columns all go into the table as
 * they are needs no staging, and writes each row once instead of twice. Groups are staged, since
 * one bad file of a group must not take the others with it. Where units merge in order, all are
 * staged: one that waits must not do so in a transaction that holds keys of a unique index which an
 * earlier one is about to write.
 */
export function canCopyDirectly(task: UnitTask): boolean {
  const [file] = task.files;
  if (task.load.target.onConflict !== 'append' || task.files.length !== 1) return false;
  if (file === undefined || task.load.hasRules) return false;
  if (task.load.ledger.strategy === 'sequential') return false;
  return copiesWhole(task.load.target.columns, file);
}

export async function openDirectCopy(
  connection: Connection,
  task: UnitTask,
  hooks: UnitHooks,
): Promise<DirectCopy> {
  const { target, ledger, subBatchSize } = task.load;
  const file = present(task.files[0], 'a file');
  await connection.query('begin');
  let open = true;
  const rollback = async (): Promise<void> => {
    if (open && connection.usable()) await connection.query('rollback');
    open = false;
  };
  try {
    const options = { ...hooks, subBatchSize, superseded: null };
    const sqlName = `${quoted(target.schema)}.${quoted(target.name)}`;
    const copyTarget = directTarget(target.columns, file, sqlName);
    const staged = [await stageFile(connection, file, copyTarget, options)];
    const commit = async (): Promise<MergedRows> => {
      const rows = present(staged[0], 'the staged file').rows;
      const counts = insertedOnly(rows);
      const entries = staged.map((one) => ledgerEntry(one, counts));
      await writeLedger(connection, ledger, entries);
      await connection.query('commit');
      open = false;
      return mergedRows(staged, counts);
    };
    return { staged, failure: null, commit, rollback };
  } catch (error) {
    await rollback();
    const failure = fileFailure(file.ordinal, error, hooks.signal);
    const nothing = (): Promise<MergedRows> => {
      assert(false, `${target.name}: a file that failed is not committed`);
    };
    return { staged: [], failure, commit: nothing, rollback };
  }
}

/** A file's COPY into a table that has the target's own columns: the layout, with their names. */
export function directTarget(
  columns: readonly TargetColumn[],
  file: FilePlan,
  sqlName: string,
): CopyTarget {
  const { table, files } = stagingLayout(columns, [file], {
    sqlName,
    kind: 'temp',
    fileColumn: false,
  });
  const laid = present(files.get(file.ordinal), 'the layout of the file');
  const names = new Map(table.columns.map((column) => [column.name, column.target ?? column.name]));
  const copyColumns = laid.copyColumns.map((name) => names.get(name) ?? name);
  return {
    sqlName,
    layout: { ...laid, copyColumns },
    forceNull: forcedNulls(columns, file, copyColumns, (copied) => copied),
    ordinal: false,
    columnName: (copied) => fileColumnName(file, copyColumns.indexOf(copied)),
  };
}
