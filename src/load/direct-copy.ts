import { assert, present } from '../assert.ts';
import type { FilePlan } from '../plan/plan-types.ts';
import { documentIn } from '../source/transform/input-of.ts';
import type { Connection } from '../target/connect.ts';
import { windowSql } from '../target/key-window.ts';
import { quoted } from '../target/names.ts';
import { copiesWhole, stagingLayout } from '../target/staging-layout.ts';
import type { TargetColumn } from '../target/table.ts';
import { writeLedger } from '../target/write-ledger.ts';
import { copyDocuments } from './copy-documents.ts';
import { copyFiles } from './copy-files.ts';
import { fileColumnName, forcedNulls, type CopyTarget } from './copy-target.ts';
import { fileFailure } from './file-failure.ts';
import {
  insertedOnly,
  ledgerEntry,
  loadedMeanwhile,
  sumCounts,
  type MergedRows,
} from './merge-unit.ts';
import { siftDirectly } from './quarantine/sift-direct.ts';
import { unitAside, writeRejects } from './quarantine/write-rejects.ts';
import { stageFile } from './stage-file.ts';
import { stagedDocuments } from './staged-documents.ts';
import { tableChanged } from './table-changed.ts';
import type { FileFailure } from './unit-session.ts';
import type { StagedFile, UnitHooks, UnitTask } from './unit-task.ts';

/** Files that were copied into the target itself, in a transaction that is still open. */
export interface DirectCopy {
  readonly staged: StagedFile[];
  /** Then nothing is staged, and the transaction is over. */
  readonly failure: FileFailure | null;
  commit(): Promise<MergedRows>;
  rollback(): Promise<void>;
}

/**
 * Whether each row can be written once instead of twice. A unit that has a window is sent by an
 * admission that knows it. `append` has no key, so no row can meet another; but where units merge in
 * order, all are staged: one that waits must not do so in a transaction that holds keys of a unique
 * index which an earlier one is about to write.
 */
export function canCopyDirectly(task: UnitTask): boolean {
  const transformed = task.files.some(({ description }) => description.kind === 'transformed');
  // Its bad rows would end the copy, and every row go through the transform again.
  if (transformed && task.load.quarantine !== null) return false;
  if (task.direct !== undefined) return true;
  const { target, ledger, insertsOnly } = task.load;
  if (target.onConflict !== 'append' || insertsOnly || ledger.strategy === 'sequential')
    return false;
  // What several tables take is staged for all of them.
  if (task.load.further !== undefined) return false;
  const [first] = task.files;
  const alike = first !== undefined && documentIn(first.description) !== null;
  const differing = alike ? task.files.slice(0, 1) : task.files;
  return differing.every((file) => copiesWhole(target.columns, file));
}

/**
 * All files or none: where one of several is bad, the failure names the first one that could not be
 * copied, which need not be it, and the unit is to be staged.
 */
export async function openDirectCopy(
  connection: Connection,
  task: UnitTask,
  hooks: UnitHooks,
): Promise<DirectCopy> {
  const { target, ledger, quarantine } = task.load;
  await connection.query('begin');
  let open = true;
  const rollback = async (): Promise<void> => {
    if (open && connection.usable()) await connection.query('rollback');
    open = false;
  };
  try {
    const sqlName = `${quoted(target.schema)}.${quoted(target.name)}`;
    // A late check is to refuse the block that has the row.
    if (siftsDirectly(task)) await connection.query('set constraints all immediate');
    const { staged, failure } = await copyDirectly(connection, task, sqlName, hooks, true);
    if (failure !== null) return await failedCopy(failure, rollback);
    // COMMIT could not tell which of several files brought a row that a late check refuses.
    if (staged.length > 1 || task.direct !== undefined || quarantine !== null) {
      await connection.query('set constraints all immediate');
    }
    const commit = async (): Promise<MergedRows> => {
      const merged = staged.map((one) => ({ one, counts: insertedOnly(one.rows, one.rejected) }));
      if (quarantine !== null) {
        const tooMany = await writeRejects(connection, task, unitAside(task), staged, hooks.signal);
        assert(tooMany === null, 'who has staged the file has counted its bad rows');
      }
      const entries = merged.map(({ one, counts }) => ledgerEntry(one, counts));
      await writeLedger(connection, ledger, entries).catch((error: unknown) => {
        throw tableChanged(loadedMeanwhile(error), task.load.sqlName);
      });
      await connection.query('commit');
      open = false;
      const files = merged.map(({ one, counts }) => {
        return { file: one.file.ordinal, counts, rejected: one.rejected };
      });
      return { counts: sumCounts(files.map(({ counts }) => counts)), files, failure: null };
    };
    return { staged, failure: null, commit, rollback };
  } catch (error) {
    await rollback();
    const { ordinal } = present(task.files[0], 'a file');
    return failedCopy(fileFailure(ordinal, error, hooks.signal), rollback);
  }
}

async function failedCopy(
  failure: FileFailure,
  rollback: () => Promise<void>,
): Promise<DirectCopy> {
  await rollback();
  const commit = (): Promise<MergedRows> => {
    assert(false, 'a file that failed is not committed');
  };
  return { staged: [], failure, commit, rollback };
}

/**
 * Copies the files of a unit into a table that has the target's own columns. What was copied cannot
 * be taken back there, so a group that turns out bad when its COPY is over ends it; one that COPY
 * refused is tried file by file (inside a transaction, which is over then, the first one fails).
 */
export async function copyDirectly(
  connection: Connection,
  task: UnitTask,
  sqlName: string,
  hooks: UnitHooks,
  inTransaction = false,
): Promise<{ readonly staged: StagedFile[]; readonly failure: FileFailure | null }> {
  const { target, subBatchSize, quarantine } = task.load;
  // With a quarantine the file is staged next, which finds the bad rows: where the first one stands
  // need not be looked for here, which would read the file once more.
  const quarantined = quarantine !== null;
  const options = { ...hooks, subBatchSize, superseded: null, part: task.part, quarantined };
  const where = task.direct === undefined ? null : windowSql(task.direct);
  const targetOf = (file: FilePlan): CopyTarget => ({
    ...directTarget(target.columns, file, sqlName),
    where,
  });
  const first = present(task.files[0], 'a file');
  if (quarantine !== null && siftsDirectly(task)) {
    const to = targetOf(first);
    return siftDirectly(connection, first, to, { task, quarantine, hooks, inTransaction }).then(
      (staged) => ({ staged: [staged], failure: null }),
      (error: unknown) => {
        return { staged: [], failure: fileFailure(first.ordinal, error, hooks.signal) };
      },
    );
  }
  if (documentIn(first.description) !== null) {
    const { hashes, failure } = await copyDocumentsDirectly(connection, task, sqlName, hooks);
    return { staged: failure === null ? [...stagedDocuments(task.files, hashes)] : [], failure };
  }
  return copyFiles(connection, task.files, {
    hooks,
    targetOf,
    superseded: new Map(),
    before: () => Promise.resolve(),
    copyOne: (file) => stageFile(connection, file, targetOf(file), options),
    undo: async (error, took) => {
      if (took || task.direct !== undefined) throw error;
    },
  });
}

/** The same of documents; `hashes` as stagedDocuments takes them. */
export async function copyDocumentsDirectly(
  connection: Connection,
  task: UnitTask,
  sqlName: string,
  hooks: UnitHooks,
): Promise<{ readonly hashes: string; readonly failure: FileFailure | null }> {
  const { target, subBatchSize, startedAt } = task.load;
  const where = task.direct === undefined ? null : windowSql(task.direct);
  const to = { ...directTarget(target.columns, present(task.files[0], 'a file'), sqlName), where };
  const documentHooks = { ...hooks, subBatchSize, loadedMs: Date.parse(startedAt) };
  const copied = await copyDocuments(connection, task.files, to, documentHooks);
  if (copied.kind === 'copied') return { hashes: copied.hashes, failure: null };
  const { ordinal } = present(task.files[copied.place ?? 0], 'a document');
  return { hashes: '', failure: fileFailure(ordinal, copied.error, hooks.signal) };
}

/**
 * A small file shares its COPY with others, and is soon staged; a row that a transform rejects is
 * nothing unusual, so its files are staged from the first.
 */
function siftsDirectly({ files, load }: UnitTask): boolean {
  const kind = files[0]?.description.kind;
  const sifts = kind === 'csv' || kind === 'json' || kind === 'parquet';
  return load.quarantine !== null && files.length === 1 && sifts;
}

/** A file's COPY into a table that has the target's own columns: the layout, with their names. */
function directTarget(
  columns: readonly TargetColumn[],
  file: FilePlan,
  sqlName: string,
): Omit<CopyTarget, 'where'> {
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
